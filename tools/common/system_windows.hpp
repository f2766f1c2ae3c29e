// SPDX-License-Identifier: MIT
// system_windows.hpp - <windows.h> without its macros that stand in the way.
#pragma once

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#if !defined(NOMINMAX)  // This libstdc++ for Windows defines it itself.
#define NOMINMAX
#endif
#include <windows.h>
