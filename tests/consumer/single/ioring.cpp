// SPDX-License-Identifier: MIT
// ioring.cpp - the one file of the program that is the library, too.
#define IORING_IMPLEMENTATION
#include "ioring_single.hpp"
#include "ioring_single.hpp"  // Twice is once.

bool is_implemented_elsewhere();
bool is_implemented_elsewhere() { return ioring::version_string.size() >= 5; }
