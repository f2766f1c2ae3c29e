# SPDX-License-Identifier: MIT
# IORingCrossGoogleTest.cmake - GoogleTest from its sources: what is installed is for this machine.
find_path(IORING_GTEST_SOURCE src/gtest-all.cc NO_CMAKE_FIND_ROOT_PATH
          PATHS /usr/src/googletest/googletest)
mark_as_advanced(IORING_GTEST_SOURCE)
if(NOT IORING_GTEST_SOURCE)
  message(FATAL_ERROR "The tests of a cross build need GoogleTest's sources: install the package "
                      "googletest, or configure with -DIORING_BUILD_TESTS=OFF")
endif()
add_library(ioring_gtest_main STATIC EXCLUDE_FROM_ALL "${IORING_GTEST_SOURCE}/src/gtest-all.cc"
            "${IORING_GTEST_SOURCE}/src/gtest_main.cc")
add_library(GTest::gtest_main ALIAS ioring_gtest_main)
target_compile_features(ioring_gtest_main PUBLIC cxx_std_20)
target_include_directories(ioring_gtest_main SYSTEM PUBLIC "${IORING_GTEST_SOURCE}/include"
                           PRIVATE "${IORING_GTEST_SOURCE}")
