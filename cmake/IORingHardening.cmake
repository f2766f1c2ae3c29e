# SPDX-License-Identifier: MIT
# IORingHardening.cmake - what makes a bug harder to use: the INTERFACE target ioring_hardening.
#
# What costs nothing in use is on wherever ELF is: the tables that the loader fills are read-only
# from then on, and the stack is no code. IORING_HARDENING adds what a hot path pays for, at any
# level of optimisation but none: checked buffers of the C library and of the C++ one's containers,
# canaries, probed stacks, and on x86 marked targets of jumps.
option(IORING_HARDENING "Compile with stack protector, _FORTIFY_SOURCE and their kin" OFF)

add_library(ioring_hardening INTERFACE)
if(UNIX AND NOT APPLE)
  target_link_options(ioring_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(IORING_HARDENING AND NOT MSVC AND NOT IORING_SANITIZE)
  target_compile_options(ioring_hardening INTERFACE -fstack-protector-strong
                         -D_GLIBCXX_ASSERTIONS)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # Not beside a level that the environment or the compiler of a distribution has chosen.
    target_compile_options(ioring_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  if(UNIX AND NOT APPLE)
    target_compile_options(ioring_hardening INTERFACE -fstack-clash-protection)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i.86)$" AND UNIX AND NOT APPLE)
    target_compile_options(ioring_hardening INTERFACE -fcf-protection)
  endif()
endif()
