# SPDX-License-Identifier: MIT
# IORingCcache.cmake - compiles through ccache where it is installed.
#
# Paths below the source tree are made relative, so that two clones share their objects.
find_program(IORING_CCACHE ccache)
mark_as_advanced(IORING_CCACHE)
if(IORING_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${IORING_CCACHE}")
endif()
