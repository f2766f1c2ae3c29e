// SPDX-License-Identifier: MIT
// main.cpp - a nop there and back, and every public header.
#include <ioring/ioring.hpp>

int main() {
    ioring::ring ring = ioring::ring::create({.sq_entries = 8});
    ring.prepare_nop(42);
    ring.submit_and_wait(1);
    for (const ioring::cqe& done : ring.completions()) return done.user_data == 42 ? 0 : 1;
    return 1;
}
