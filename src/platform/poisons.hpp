// SPDX-License-Identifier: MIT
// poisons.hpp - whether lent memory is poisoned: where the kernels in user space can pass
// AddressSanitizer by, which elsewhere would report their own receives.
#pragma once

#include "ioring/detail/lent_memory.hpp"

#if defined(IORING_ADDRESS_SANITIZER) && defined(__linux__) && defined(__LP64__)
#define IORING_POISONS 1
#endif
