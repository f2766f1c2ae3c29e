// SPDX-License-Identifier: MIT
// flights.cpp - taking and giving back.
#include "backend/iocp/flights.hpp"

#include <cassert>
#include <new>

namespace ioring::backends::iocp {

template <class Item>
Item* flight_pool::store<Item>::take() noexcept {
    if (free == nullptr) {
        auto* const made = new (std::nothrow) chunk<Item>;
        if (made == nullptr) return nullptr;
        made->next = chunks;
        chunks = made;
        for (std::size_t at = 1; at < made->items.size(); ++at) {
            made->items[at - 1].next = &made->items[at];
        }
        free = made->items.data();
    }
    Item* const taken = free;
    free = taken->next;
    *taken = Item{};
    return taken;
}

template <class Item>
void flight_pool::store<Item>::give_back(Item& done) noexcept {
    done.next = free;
    free = &done;
}

template <class Item>
void flight_pool::store<Item>::release() noexcept {
    while (chunks != nullptr) {
        chunk<Item>* const next = chunks->next;
        delete chunks;
        chunks = next;
    }
}

flight_pool::~flight_pool() {
    if (pending_ != 0) return;
    flights_.release();
    states_.release();
}

flight* flight_pool::take(socket_state& of, flight::kind what, operation* op) noexcept {
    flight* const taken = flights_.take();
    if (taken == nullptr) return nullptr;
    taken->of = &of;
    taken->op = op;
    taken->what = what;
    taken->next = of.first;
    if (of.first != nullptr) of.first->previous = taken;
    of.first = taken;
    ++of.flights;
    ++pending_;
    return taken;
}

void flight_pool::unlink(flight& done) noexcept {
    socket_state& of = *done.of;
    (done.previous != nullptr ? done.previous->next : of.first) = done.next;
    if (done.next != nullptr) done.next->previous = done.previous;
    done.next = done.previous = nullptr;
    assert(of.flights > 0 && pending_ > 0);
    --of.flights;
    --pending_;
}

void flight_pool::give_back(flight& done) noexcept { flights_.give_back(done); }

socket_state* flight_pool::take_state() noexcept { return states_.take(); }

void flight_pool::give_back(socket_state& done) noexcept {
    assert(done.flights == 0);
    states_.give_back(done);
}

}  // namespace ioring::backends::iocp
