# SPDX-License-Identifier: MIT
# darwin.cmake - builds for macOS on a machine without macOS, by Zig (see zig.sh).
#
# IORING_DARWIN_ARCH is arm64 or x86_64. Compilation sees Apple's headers and Zig's libc++, linking
# Apple's library stubs, so that a name which macOS does not have fails the build. Nothing that is
# built runs here.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_VERSION 22)  # macOS 13

set(IORING_DARWIN_ARCH arm64 CACHE STRING "What to build for: arm64 or x86_64")
set(CMAKE_SYSTEM_PROCESSOR ${IORING_DARWIN_ARCH})
if(IORING_DARWIN_ARCH STREQUAL "arm64")
  set(ioring_zig_target aarch64-macos.13.0)
elseif(IORING_DARWIN_ARCH STREQUAL "x86_64")
  set(ioring_zig_target x86_64-macos.13.0)
else()
  message(FATAL_ERROR "IORING_DARWIN_ARCH: `${IORING_DARWIN_ARCH}` is neither arm64 nor x86_64")
endif()

# CMake's own trial projects read this file too.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES IORING_DARWIN_ARCH IORING_ZIG IORING_ZIG_WRAPPERS)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

if(NOT IORING_ZIG)
  execute_process(COMMAND bash "${CMAKE_CURRENT_LIST_DIR}/zig.sh"
                  OUTPUT_VARIABLE ioring_zig RESULT_VARIABLE ioring_status
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT ioring_status EQUAL 0)
    message(FATAL_ERROR "There is no Zig to build for macOS with")
  endif()
  set(IORING_ZIG "${ioring_zig}" CACHE FILEPATH "The zig program")
endif()

# The wrappers below tell ccache nothing of the compiler within.
execute_process(COMMAND "${IORING_ZIG}" version OUTPUT_VARIABLE ioring_zig_version
                OUTPUT_STRIP_TRAILING_WHITESPACE)
set(IORING_CCACHE_COMPILER "zig-${ioring_zig_version}-${ioring_zig_target}")

# CMake calls a compiler, an archiver and so on by one path each, and Zig is all of them by its
# first argument. Zig's caches: what it makes of libc++ once for every target, beside Zig; what it
# keeps of our own files, in the build folder. It does not know two options that CMake gives for
# macOS and of which it does what they ask for anyway, or nothing.
if(NOT IORING_ZIG_WRAPPERS)
  set(IORING_ZIG_WRAPPERS "${CMAKE_BINARY_DIR}/toolchain" CACHE INTERNAL "")
endif()
get_filename_component(ioring_zig_folder "${IORING_ZIG}" DIRECTORY)
function(ioring_zig_wrapper name arguments)
  set(path "${IORING_ZIG_WRAPPERS}/${name}")
  file(CONFIGURE OUTPUT "${path}" NEWLINE_STYLE UNIX @ONLY CONTENT "#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR='@ioring_zig_folder@/cache'
export ZIG_LOCAL_CACHE_DIR='@IORING_ZIG_WRAPPERS@/cache'
for argument do
    shift
    case $argument in
        -fPIE | -Wl,-v) ;;
        *) set -- \"$@\" \"$argument\" ;;
    esac
done
exec '@IORING_ZIG@' @arguments@ \"$@\"
")
  file(CHMOD "${path}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
       WORLD_READ WORLD_EXECUTE)
endfunction()
ioring_zig_wrapper(clang "cc -target ${ioring_zig_target}")
ioring_zig_wrapper(clang++ "c++ -target ${ioring_zig_target}")
ioring_zig_wrapper(ar "ar")
ioring_zig_wrapper(ranlib "ranlib")

set(CMAKE_C_COMPILER "${IORING_ZIG_WRAPPERS}/clang")
set(CMAKE_CXX_COMPILER "${IORING_ZIG_WRAPPERS}/clang++")
set(CMAKE_AR "${IORING_ZIG_WRAPPERS}/ar")
set(CMAKE_RANLIB "${IORING_ZIG_WRAPPERS}/ranlib")
# As strict as the newest libc++: no header brings others along that it does not promise.
set(CMAKE_CXX_FLAGS_INIT -D_LIBCPP_REMOVE_TRANSITIVE_INCLUDES)
# Zig makes a libc++ for each level of optimisation: let CMake's first trial make the one we use.
set(CMAKE_CXX_COMPILER_ID_FLAGS_ALWAYS -O1)
# Nothing is installed, and Zig brings its own headers and stubs in place of an SDK.
set(CMAKE_INSTALL_NAME_TOOL true)
set(CMAKE_OSX_SYSROOT "")
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Headers of this machine are looked for by those who know what they may take from it.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
