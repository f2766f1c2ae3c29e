// SPDX-License-Identifier: MIT
// waiting_queue.hpp - operations that wait on one descriptor, first come first served.
#pragma once

#include "backend/emulation/operation.hpp"

namespace ioring::backends::emulation {

struct waiting_queue {
    operation* first = nullptr;
    operation* last = nullptr;

    void push(operation& op) noexcept {
        op.queued = true;
        op.next = nullptr;
        op.previous = last;
        (last != nullptr ? last->next : first) = &op;
        last = &op;
    }
    void remove(operation& op) noexcept {
        op.queued = false;
        (op.previous != nullptr ? op.previous->next : first) = op.next;
        (op.next != nullptr ? op.next->previous : last) = op.previous;
        op.next = op.previous = nullptr;
    }
};

}  // namespace ioring::backends::emulation
