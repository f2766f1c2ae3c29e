# SPDX-License-Identifier: MIT
# IORingCrossTests.cmake - what stands for running the tests where another system's programs cannot.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Darwin")
  message(FATAL_ERROR "Cross builds for ${CMAKE_SYSTEM_NAME} have no tests: configure with "
                      "-DIORING_BUILD_TESTS=OFF")
endif()

set(IORING_CROSS_TESTS all CACHE STRING
    "Which test programs to build for the other system: all, or conformance for that suite alone")
set_property(CACHE IORING_CROSS_TESTS PROPERTY STRINGS all conformance)
if(NOT IORING_CROSS_TESTS MATCHES "^(all|conformance)$")
  message(FATAL_ERROR "IORING_CROSS_TESTS: `${IORING_CROSS_TESTS}` is neither all nor conformance")
endif()

# GoogleTest from its sources: what is installed is for this machine.
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

# linked.<target>: the program is there, and the head of its file says what macOS will want to see.
function(ioring_add_cross_linked_test target)
  add_test(NAME linked.${target} COMMAND "${Python3_EXECUTABLE}" -B
           "${PROJECT_SOURCE_DIR}/tests/cross/macho.py" ${CMAKE_SYSTEM_PROCESSOR}
           $<TARGET_FILE:${target}>)
  set_tests_properties(linked.${target} PROPERTIES TIMEOUT ${IORING_TEST_TIMEOUT_S} LABELS linked)
endfunction()
