# SPDX-License-Identifier: MIT
# IORingCrossTests.cmake - what stands for running the tests where another system's programs cannot.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Darwin")
  message(FATAL_ERROR "Cross builds for ${CMAKE_SYSTEM_NAME} have no tests: configure with "
                      "-DIORING_BUILD_TESTS=OFF")
endif()

option(IORING_CROSS_TESTS "Build the unit tests for the other system too, beside what it is for" ON)

# linked.<target>: the program is there, and the head of its file says what macOS will want to see.
function(ioring_add_cross_linked_test target)
  add_test(NAME linked.${target} COMMAND "${Python3_EXECUTABLE}" -B
           "${PROJECT_SOURCE_DIR}/tests/cross/macho.py" ${CMAKE_SYSTEM_PROCESSOR}
           $<TARGET_FILE:${target}>)
  set_tests_properties(linked.${target} PROPERTIES TIMEOUT ${IORING_TEST_TIMEOUT_S} LABELS linked)
endfunction()
