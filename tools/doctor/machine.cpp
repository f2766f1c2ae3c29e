// SPDX-License-Identifier: MIT
// machine.cpp - what a process may have of a machine.
#include "doctor/machine.hpp"

namespace doctor {

allowances allowances_of(const machine& of) {
    return {.descriptors = of.descriptors.hard,
            .mappings = of.mappings_max,
            .memory_bytes = of.memory_available_bytes,
            .address_bytes = of.address_space_bytes.soft,
            .page_bytes = of.page_bytes};
}

}  // namespace doctor
