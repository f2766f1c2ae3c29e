// SPDX-License-Identifier: MIT
// allocation_counter.cpp - operators new that count, in place of the whole program's.
#include "support/allocation_counter.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace {

std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> deletions{0};

void* count_and_allocate(std::size_t bytes) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(bytes == 0 ? 1 : bytes);
}

// Windows' C library has no aligned_alloc(). What is to be released stands in front.
void* count_and_allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
    const std::size_t multiple = std::max(static_cast<std::size_t>(alignment), sizeof(void*));
    void* const whole = count_and_allocate(bytes + multiple + sizeof(void*));
    if (whole == nullptr) return nullptr;
    void* aligned = static_cast<char*>(whole) + sizeof(void*);
    std::size_t room = bytes + multiple;
    aligned = std::align(multiple, bytes, aligned, room);
    std::memcpy(static_cast<char*>(aligned) - sizeof(void*), &whole, sizeof(void*));
    return aligned;
}

// Called through a variable: a compiler that sees both ends would take malloc and delete for a
// mismatch.
void (*volatile release)(void*) = &std::free;

void give_back(void* memory) noexcept {
    if (memory == nullptr) return;
    deletions.fetch_add(1, std::memory_order_relaxed);
    release(memory);
}

void give_back_aligned(void* memory) noexcept {
    if (memory == nullptr) return;
    void* whole = nullptr;
    std::memcpy(&whole, static_cast<char*>(memory) - sizeof(void*), sizeof(void*));
    give_back(whole);
}

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

namespace ioring::test_support {

std::uint64_t allocations_so_far() noexcept { return allocations.load(std::memory_order_relaxed); }
std::uint64_t allocations_alive() noexcept {
    return allocations_so_far() - deletions.load(std::memory_order_relaxed);
}

}  // namespace ioring::test_support

// Every form that the standard library would otherwise bring a partner of.
using std::align_val_t;
using std::nothrow_t;
using std::size_t;
void* operator new(size_t bytes) { return or_throw(count_and_allocate(bytes)); }
void* operator new[](size_t bytes) { return or_throw(count_and_allocate(bytes)); }
void* operator new(size_t bytes, const nothrow_t&) noexcept { return count_and_allocate(bytes); }
void* operator new[](size_t bytes, const nothrow_t&) noexcept { return count_and_allocate(bytes); }
void* operator new(size_t bytes, align_val_t alignment) {
    return or_throw(count_and_allocate(bytes, alignment));
}
void* operator new(size_t bytes, align_val_t alignment, const nothrow_t&) noexcept {
    return count_and_allocate(bytes, alignment);
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, align_val_t) noexcept { give_back_aligned(memory); }
void operator delete(void* memory, size_t, align_val_t) noexcept { give_back_aligned(memory); }
void operator delete(void* memory, align_val_t, const nothrow_t&) noexcept {
    give_back_aligned(memory);
}
