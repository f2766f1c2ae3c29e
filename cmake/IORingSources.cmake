# SPDX-License-Identifier: MIT
# IORingSources.cmake - which files of a folder this system compiles.
#
# x_linux.cpp, x_posix.cpp, x_darwin.cpp, x_bsd.cpp and x_windows.cpp (and x_linux_test.cpp, ...)
# are compiled on those systems only, x_kqueue.cpp on those that have a kqueue; a file without such
# an ending is compiled everywhere.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(IORING_OS_SUFFIXES linux posix)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Darwin")
  set(IORING_OS_SUFFIXES darwin kqueue posix)
elseif(CMAKE_SYSTEM_NAME MATCHES "BSD$|^DragonFly$")
  set(IORING_OS_SUFFIXES bsd kqueue posix)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Windows")
  set(IORING_OS_SUFFIXES windows)
else()
  message(FATAL_ERROR "IORingGroup does not know the system ${CMAKE_SYSTEM_NAME}")
endif()

# What the system's calls need to be linked with, and which tests want what it does not have.
set(IORING_SYSTEM_LIBRARIES "")
set(IORING_UNPORTED_TESTS "")
if(CMAKE_SYSTEM_NAME STREQUAL "Windows")
  set(IORING_SYSTEM_LIBRARIES ws2_32 iphlpapi)
  # It counts the mappings that /proc tells of. (What calls POSIX is x_posix_test.cpp.)
  set(IORING_UNPORTED_TESTS "/src/buffer/buffer_pool")
endif()

set(ioring_foreign_suffixes linux posix darwin bsd kqueue windows)
list(REMOVE_ITEM ioring_foreign_suffixes ${IORING_OS_SUFFIXES})
list(JOIN ioring_foreign_suffixes "|" IORING_FOREIGN_SUFFIXES)

# Sets `sources`, `tests` and `alone` to the folder's own .cpp files: *_test.cpp and
# *test_support.cpp are tests, *_alone_test.cpp are tests that want a program to themselves, the
# rest sources. *_asan_linux_test.cpp are for builds with AddressSanitizer.
function(ioring_folder_files folder sources tests alone)
  file(GLOB files CONFIGURE_DEPENDS "${folder}/*.cpp")
  list(FILTER files EXCLUDE REGEX "_(${IORING_FOREIGN_SUFFIXES})(_alone)?(_test)?\\.cpp$")
  if(NOT "address" IN_LIST IORING_SANITIZE)
    list(FILTER files EXCLUDE REGEX "_asan_linux_test\\.cpp$")
  endif()
  if(IORING_UNPORTED_TESTS)
    list(FILTER files EXCLUDE REGEX "(${IORING_UNPORTED_TESTS})_test\\.cpp$")
  endif()
  set(test_files ${files})
  set(alone_files ${files})
  list(FILTER alone_files INCLUDE REGEX "_alone_test\\.cpp$")
  list(FILTER test_files EXCLUDE REGEX "_alone_test\\.cpp$")
  list(FILTER test_files INCLUDE REGEX "(_test|[/_]test_support)\\.cpp$")
  list(FILTER files EXCLUDE REGEX "(_test|[/_]test_support)\\.cpp$")
  if(IORING_SANITIZE STREQUAL "thread")
    ioring_keep_thread_tests(test_files)
  endif()
  set(${sources} ${files} PARENT_SCOPE)
  set(${tests} ${test_files} PARENT_SCOPE)
  set(${alone} ${alone_files} PARENT_SCOPE)
endfunction()

# Leaves of the test files in `list` those that may have a test with threads, by its name, and what
# supports them: ThreadSanitizer runs no others, and they take minutes to build.
function(ioring_keep_thread_tests list)
  set(kept)
  set(support)
  foreach(file IN LISTS ${list})
    if(file MATCHES "test_support[a-z_]*\\.cpp$")
      list(APPEND support "${file}")
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" found REGEX "thread" LIMIT_COUNT 1)
    if(found)
      list(APPEND kept "${file}")
    endif()
  endforeach()
  if(kept)
    list(APPEND kept ${support})
  endif()
  set(${list} ${kept} PARENT_SCOPE)
endfunction()
