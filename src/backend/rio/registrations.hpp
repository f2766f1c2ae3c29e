// SPDX-License-Identifier: MIT
// registrations.hpp - memory that is registered with the system, twice: to receive and to send.
//
// A registration serves one send at a time: while one is in flight nothing else may use its id,
// neither another send nor a receive, or memory may be corrupted (so Microsoft's documentation). So
// each buffer has an id for each direction, and sender_of() says who has the one for sends.
//
// A buffer that the program has unregistered stays registered until its last request has ended:
// what the system does with one that is taken away earlier is undefined.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/emulation/growing_array.hpp"
#include "backend/rio/rio_system.hpp"

namespace ioring::backends::rio {

enum class direction : std::uint8_t { receive, send };

class registrations {
public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    explicit registrations(const system& on) noexcept : system_(on) {}
    registrations(const registrations&) = delete;
    registrations& operator=(const registrations&) = delete;

    // Registers `bytes` bytes at `data` as the program's buffer `slot`. 0, -EINVAL (no bytes, or
    // more than abi::buffer_bytes_max), -EEXIST (the slot is in use), -ENOMEM, or what the system
    // says.
    std::int32_t add(std::uint32_t slot, std::byte* data, std::size_t bytes) noexcept;
    // 0, or -EINVAL when there is none in `slot`. The slot can be used again at once.
    std::int32_t remove(std::uint32_t slot) noexcept;

    // The registration that `slot` stands for now, if [data, data + bytes) lies within it; or none.
    [[nodiscard]] std::uint32_t find(std::uint32_t slot, const std::byte* data,
                                     std::uint32_t bytes) const noexcept;
    [[nodiscard]] std::uint32_t offset_of(std::uint32_t index,
                                          const std::byte* data) const noexcept {
        return static_cast<std::uint32_t>(data - all_[index].data);
    }
    [[nodiscard]] abi::buffer_id id_of(std::uint32_t index, direction way) const noexcept {
        return way == direction::send ? all_[index].for_send : all_[index].for_receive;
    }

    // A request that names it exists, or exists no longer.
    void hold(std::uint32_t index) noexcept { ++all_[index].holders; }
    void release(std::uint32_t index) noexcept;
    // Who sends from it: `nobody` or a connection.
    static constexpr std::uint32_t nobody = ~std::uint32_t{0};
    [[nodiscard]] std::uint32_t sender_of(std::uint32_t index) const noexcept {
        return all_[index].sender;
    }
    void set_sender(std::uint32_t index, std::uint32_t connection) noexcept {
        all_[index].sender = connection;
    }

    // Gives everything back. Nothing may be in flight: what is, is left registered.
    void clear() noexcept;
    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

private:
    struct entry {
        std::byte* data;
        std::size_t bytes;
        abi::buffer_id for_receive;
        abi::buffer_id for_send;
        std::uint32_t holders;
        std::uint32_t sender;
        std::uint32_t next_free;
        bool used;
        bool removed;  // The program is done with it, requests are not.
    };

    [[nodiscard]] bool register_both(entry& made, std::int32_t& error) noexcept;
    void give_back(std::uint32_t index) noexcept;

    const system& system_;
    emulation::growing_array<entry> all_;
    emulation::growing_array<std::uint32_t> by_slot_;  // The index + 1; 0: none.
    std::uint32_t made_ = 0;                           // Of all_, those that were ever used.
    std::uint32_t count_ = 0;                          // Of those, registered now.
    std::uint32_t free_ = none;
};

}  // namespace ioring::backends::rio
