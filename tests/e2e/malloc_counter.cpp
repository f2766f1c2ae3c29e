// SPDX-License-Identifier: MIT
// malloc_counter.cpp - preloaded into a program, counts its allocations where others can read it.
//
// LD_PRELOAD names this library, IORING_MALLOC_COUNTER a file of 8 bytes, which is mapped: the
// number in it is how many times the program has asked for memory (malloc and all that end there,
// operator new included) since its start. glibc only: the allocator is reached by its own names.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): glibc's names.
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
// NOLINTEND(readability-identifier-naming)
}

namespace {

using counter = std::atomic<std::uint64_t>;
static_assert(sizeof(counter) == 8 && counter::is_always_lock_free);

// Until the file is mapped, and for good when there is none.
constinit counter private_count{0};
constinit counter* shared_count = &private_count;

void count() noexcept { shared_count->fetch_add(1, std::memory_order_relaxed); }

__attribute__((constructor)) void map_counter() {
    const char* const path = std::getenv("IORING_MALLOC_COUNTER");
    if (path == nullptr) return;
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) std::abort();
    void* const memory =
        ::mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) std::abort();
    auto* const mapped = static_cast<counter*>(memory);
    mapped->store(private_count.load());
    shared_count = mapped;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
    count();
    return __libc_malloc(bytes);
}

void* calloc(std::size_t count_wanted, std::size_t bytes) {
    count();
    return __libc_calloc(count_wanted, bytes);
}

void* realloc(void* memory, std::size_t bytes) {
    count();
    return __libc_realloc(memory, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
    count();
    return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    count();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
    count();
    void* const memory = __libc_memalign(alignment, bytes);
    if (memory == nullptr) return ENOMEM;
    *out = memory;
    return 0;
}

}  // extern "C"
