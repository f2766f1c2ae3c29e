# SPDX-License-Identifier: MIT
# IORingTests.cmake - how tests are built and registered with ctest.
#
# A unit test whose name contains `thread` has the label `threads`, the others `unit`: the former
# run under ThreadSanitizer too.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(CMAKE_CROSSCOMPILING)
  include(IORingCrossGoogleTest)
else()
  find_package(GTest REQUIRED)
endif()
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  # No program runs here; that each is there, as the other system wants it, is what is tested.
  set(IORING_TESTS_RUN OFF)
  include(IORingCrossTests)
  set(IORING_BUILD_UNIT_TESTS ${IORING_CROSS_TESTS})
else()
  set(IORING_TESTS_RUN ON)
  set(IORING_BUILD_UNIT_TESTS ON)
endif()

# Seconds after which ctest ends a script or a batch of tests. No wait in a test may come near it.
set(IORING_TEST_TIMEOUT_S 120)
set(IORING_BATCH_TIMEOUT_S 240)

# Linked to each *_alone_test.cpp, and to nothing else.
set(IORING_ALLOCATION_COUNTER "${PROJECT_SOURCE_DIR}/tests/support/allocation_counter.cpp")

# ioring_add_gtest(name SOURCES a_test.cpp ... [PROGRAM program] [LINKS target ...]
#                  [INCLUDES folder ...])
#
# Builds `program`, by default ioring_<name>_test, whose tests ctest runs in batches named
# <name>.<suite> or <name>.<suite>/<parameter> (tests/batches.py).
function(ioring_add_gtest name)
  if(NOT IORING_BUILD_UNIT_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "PROGRAM" "SOURCES;LINKS;INCLUDES" ${ARGN})
  set(target ioring_${name}_test)
  if(arg_PROGRAM)
    set(target ${arg_PROGRAM})
  endif()
  add_executable(${target} ${arg_SOURCES})
  ioring_compile_settings(${target} PRIVATE)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests" ${arg_INCLUDES})
  target_compile_definitions(${target} PRIVATE IORING_CMAKE_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE ${arg_LINKS} GTest::gtest_main)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # GoogleTest's own macros are called without their optional argument.
    target_compile_options(${target} PRIVATE -Wno-gnu-zero-variadic-macro-arguments)
  endif()
  # What is around the library is most of a build's time and little of what a test waits for.
  target_compile_options(${target} PRIVATE ${IORING_TEST_FLAGS})
  set_target_properties(${target} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY "$<1:${PROJECT_BINARY_DIR}/tests/bin>")
  if(NOT IORING_TESTS_RUN)
    ioring_add_linked_test(${target})
    return()
  endif()
  if(CMAKE_CROSSCOMPILING)
    # Its time is the compiler's: where there are many tests the common headers are read once.
    list(LENGTH arg_SOURCES sources_count)
    if(sources_count GREATER_EQUAL 8)
      target_precompile_headers(${target} PRIVATE <gtest/gtest.h> <algorithm> <array> <chrono>
                                <string> <system_error> <vector>)
    endif()
  endif()
  ioring_register_batches(${name} ${target})
endfunction()

# Its tests are listed anew by the first ctest after each build of the program.
function(ioring_register_batches name target)
  set(listed "${CMAKE_CURRENT_BINARY_DIR}/${target}_batches.cmake")
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
  # Not $<TARGET_FILE:>, which would want a script for each configuration.
  set(program "${PROJECT_BINARY_DIR}/tests/bin/${target}${CMAKE_EXECUTABLE_SUFFIX}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/IORingBatches.cmake.in" "${script}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()

# ioring_add_gtests(name SOURCES ... ALONE ... [LINKS ...] [INCLUDES ...])
#
# As ioring_add_gtest() for the tests of one folder, of which there may be none. Each file of ALONE
# is a program of its own, ioring_<name>_<stem>, whose operator new counts
# (tests/support/allocation_counter.hpp), and so is left out where a sanitizer has replaced that
# already.
function(ioring_add_gtests name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;LINKS;INCLUDES" ${ARGN})
  if(arg_SOURCES)
    ioring_add_gtest(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} INCLUDES ${arg_INCLUDES})
  endif()
  if(NOT IORING_SANITIZE)
    set(support ${arg_SOURCES})
    list(FILTER support INCLUDE REGEX "test_support\\.cpp$")
    foreach(file IN LISTS arg_ALONE)
      get_filename_component(stem "${file}" NAME_WE)
      string(REGEX REPLACE "_test$" "" stem "${stem}")
      ioring_add_gtest(${name} PROGRAM ioring_${name}_${stem}_test
                       SOURCES ${file} ${support} ${IORING_ALLOCATION_COUNTER}
                       LINKS ${arg_LINKS} INCLUDES ${arg_INCLUDES})
    endforeach()
  endif()
endfunction()

# ioring_add_script_test(name script [EMULATED] [LABELS label ...] [ARGS argument ...])
#
# Runs a python or shell script as the test `name`. The script finds what it needs in its
# environment: IORING_SOURCE_DIR, IORING_BUILD_DIR, IORING_BIN_DIR (the tools) and
# IORING_SANITIZE. Exit status 77 is a skip. In a cross build there are only those that are
# EMULATED, which find in IORING_EMULATOR what runs the programs, and in IORING_NATIVE_BIN_DIR the
# tools of this machine's own system, if the preset `release` was built.
function(ioring_add_script_test name script)
  cmake_parse_arguments(arg "EMULATED" "" "LABELS;ARGS" ${ARGN})
  if(CMAKE_CROSSCOMPILING AND NOT arg_EMULATED)
    return()
  endif()
  set(emulation)
  if(CMAKE_CROSSCOMPILING)
    set(emulation "IORING_EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
        "IORING_NATIVE_BIN_DIR=${PROJECT_SOURCE_DIR}/build/release/bin")
  endif()
  if(script MATCHES "\\.py$")
    # -B: no cached byte code beside the sources.
    set(runner "${Python3_EXECUTABLE}" -B)
  else()
    set(runner bash)
  endif()
  add_test(NAME ${name} COMMAND ${runner} "${script}" ${arg_ARGS})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${IORING_TEST_TIMEOUT_S} SKIP_RETURN_CODE 77 LABELS "${arg_LABELS}"
    ENVIRONMENT "IORING_SOURCE_DIR=${PROJECT_SOURCE_DIR};IORING_BUILD_DIR=${PROJECT_BINARY_DIR};\
IORING_BIN_DIR=${PROJECT_BINARY_DIR}/bin;IORING_SANITIZE=${ioring_sanitizers};${emulation}")
endfunction()

# For a program that another system will run: a test that it has been linked for that system. None
# where programs run and their own tests say more.
function(ioring_add_linked_test target)
  if(NOT IORING_TESTS_RUN)
    ioring_add_cross_linked_test(${target})
  endif()
endfunction()

# Registers a folder without a CMakeLists.txt of its own: its *_test.cpp become one executable
# linked to the finished library, each *_test.py and *_test.sh one script test.
function(ioring_add_test_folder folder)
  get_filename_component(name "${folder}" NAME)
  ioring_folder_files("${folder}" helpers tests alone)
  if(tests)
    list(APPEND tests ${helpers})
  endif()
  ioring_add_gtests(${name} SOURCES ${tests} ALONE ${alone} LINKS ioring::ioring
                    INCLUDES "${folder}" "${PROJECT_SOURCE_DIR}/src")
  file(GLOB scripts CONFIGURE_DEPENDS "${folder}/*_test.py" "${folder}/*_test.sh")
  foreach(script IN LISTS scripts)
    get_filename_component(stem "${script}" NAME_WE)
    ioring_add_script_test(${name}.${stem} "${script}" LABELS ${name})
  endforeach()
endfunction()
