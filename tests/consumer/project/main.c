// SPDX-License-Identifier: MIT
// main.c - the same in C.
#include <ioring/ioring.h>

int main(void) {
    const ioring_options options = {.size = sizeof options, .sq_entries = 8};
    ioring_t* ring = NULL;
    if (ioring_create(&options, &ring) != 0) return 1;
    ioring_sqe* sqe = ioring_get_sqe(ring);
    ioring_prep_nop(sqe);
    ioring_sqe_set_data64(sqe, 42);
    ioring_cqe done = {0, 0, 0};
    const int error = ioring_wait_cqe(ring, &done);
    ioring_destroy(ring);
    return error == 0 && done.user_data == 42 ? 0 : 1;
}
