# SPDX-License-Identifier: MIT
# IORingCcache.cmake - compiles through ccache where it is installed.
#
# Paths below the source tree are made relative, so that two clones share their objects. A toolchain
# file whose compiler is a script sets IORING_CCACHE_COMPILER to what tells it from others.
find_program(IORING_CCACHE ccache)
mark_as_advanced(IORING_CCACHE)
if(IORING_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1)
  if(IORING_CCACHE_COMPILER)
    list(APPEND CMAKE_CXX_COMPILER_LAUNCHER "CCACHE_COMPILERCHECK=string:${IORING_CCACHE_COMPILER}")
  endif()
  list(APPEND CMAKE_CXX_COMPILER_LAUNCHER "${IORING_CCACHE}")
endif()
