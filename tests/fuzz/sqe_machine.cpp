// SPDX-License-Identifier: MIT
// sqe_machine.cpp - folding what an entry points at, and counting what comes back.
#include "fuzz/sqe_machine.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "backend/registry.hpp"
#include "base/pointer.hpp"
#include "ioring/prep.hpp"

namespace ioring::fuzz {
namespace {

constexpr std::size_t guard_bytes = 65'536;  // A multiple of every page size.
constexpr std::size_t arena_bytes = 65'536;
constexpr std::size_t sockaddr_bytes = 128;
constexpr std::size_t pieces_most = 40;  // More than a kernel in user space takes.
constexpr std::uint32_t group_buffers = 8;
constexpr std::size_t group_buffer_bytes = 64;
constexpr std::int32_t closed_descriptor = 1'000'000;
constexpr std::int32_t descriptors_most = 256;  // Those that one run can have open.
constexpr std::uint64_t mark_of_message = std::uint64_t{1} << 32U;
constexpr std::uint64_t mark_of_rename = std::uint64_t{1} << 33U;
constexpr std::uint64_t mark_of_cancel = std::uint64_t{1} << 34U;
constexpr std::int64_t wait_ns = 100'000;
constexpr int rounds_most = 300;

void demand(bool holds, const char* what) {
    if (!holds) throw std::runtime_error{what};
}

int require(int result, const char* what) {
    demand(result >= 0, what);
    return result;
}

std::byte* map(std::size_t bytes, int protection) {
    void* const memory = ::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    demand(memory != MAP_FAILED, "no memory");
    return static_cast<std::byte*>(memory);
}

// Which numbers are open; what a run has opened, by entries that succeed in silence too, is the
// difference.
std::array<bool, descriptors_most> open_numbers() {
    std::array<bool, descriptors_most> open{};
    for (std::int32_t number = 0; number < descriptors_most; ++number) {
        open[static_cast<std::size_t>(number)] = ::fcntl(number, F_GETFD) >= 0;
    }
    return open;
}

// What the arena and the group's records are mapped for: once a process.
struct memory_of_process {
    std::byte* const arena = map(guard_bytes + arena_bytes + guard_bytes, PROT_NONE) + guard_bytes;
    std::byte* const records = map(4096, PROT_READ | PROT_WRITE);

    memory_of_process() {
        demand(::mprotect(arena, arena_bytes, PROT_READ | PROT_WRITE) == 0, "no arena");
    }
};

memory_of_process& memory() {
    static memory_of_process all;
    return all;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = port;
    return address;
}

std::uint16_t port_of(std::int32_t fd) {
    sockaddr_in address{};
    socklen_t bytes = sizeof address;
    require(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes), "getsockname");
    return address.sin_port;
}

bool is_chained(const sqe& entry) {
    return (entry.flags & (sqe_flag::io_link | sqe_flag::io_hardlink)) != 0;
}

}  // namespace

void sqe_machine::run(std::string_view backend, std::span<const std::uint8_t> input) {
    const auto before = open_numbers();
    {
        sqe_machine machine{backend, input};
        while (!machine.input_.empty()) machine.step();
        machine.finish();
    }
    const auto after = open_numbers();
    for (std::int32_t number = 0; number < descriptors_most; ++number) {
        const auto index = static_cast<std::size_t>(number);
        if (!after[index] || before[index]) continue;
        // By a reset: hundreds of inputs a second would leave no port free for a minute.
        constexpr linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(number, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(number);
    }
}

sqe_machine::sqe_machine(std::string_view backend, std::span<const std::uint8_t> input)
    : input_{input}, arena_{memory().arena} {
    const std::uint8_t header = next();
    backends::chosen_backend chosen;
    std::string why;
    demand(
        !backends::choose(backend, {.sq_entries = 8, .cq_entries = (header & 1U) != 0 ? 8U : 32U},
                          chosen, why),
        "no backend");
    backend_ = std::move(chosen.instance);
    open_sockets();
    add_group();
}

sqe_machine::~sqe_machine() = default;

// Ends of connections, a listener with a connection that waits, and what is none of these.
void sqe_machine::open_sockets() {
    const auto add = [this](std::int32_t fd) { descriptors_.push_back(fd); };
    for (int pair = 0; pair < 2; ++pair) {
        int ends[2] = {-1, -1};
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
        add(ends[0]);
        add(ends[1]);
    }
    const auto tcp = [] {
        return require(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "tcp");
    };
    const std::int32_t listener = tcp();
    const sockaddr_in any = loopback(0);
    require(::bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
    require(::listen(listener, 16), "listen");
    add(listener);
    const sockaddr_in address = loopback(port_of(listener));
    for (int made = 0; made < 2; ++made) {
        add(tcp());
        require(::connect(descriptors_.back(), reinterpret_cast<const sockaddr*>(&address),
                          sizeof address),
                "connect");
    }
    add(require(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    add(tcp());
    add(require(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
    messages_ = backend_->register_(backends::register_op::message_descriptor, nullptr, 0);
    add(messages_ >= 0 ? messages_ : closed_descriptor);
    add(closed_descriptor);
    add(-1);
    port_ = port_of(listener);
}

void sqe_machine::add_group() {
    struct record {
        std::uint64_t addr;
        std::uint32_t len;
        std::uint16_t bid;
        std::uint16_t tail;
    };
    auto* const records = reinterpret_cast<record*>(memory().records);
    for (std::uint16_t id = 0; id < group_buffers; ++id) {
        records[id].addr = detail::address_of(arena_ + id * group_buffer_bytes);
        records[id].len = group_buffer_bytes;
        records[id].bid = id;
    }
    records[0].tail = group_buffers;
    backends::buffer_ring ring{records, group_buffers, 0, false};
    (void)backend_->register_(backends::register_op::add_buffer_ring, &ring, 0);
    backends::kernel_buffer pinned{arena_, arena_bytes};
    (void)backend_->register_(backends::register_op::pin_buffer, &pinned, 0);
}

std::uint8_t sqe_machine::next() {
    if (input_.empty()) return 0;
    const std::uint8_t byte = input_.front();
    input_ = input_.subspan(1);
    return byte;
}

void sqe_machine::step() {
    const std::uint8_t byte = next();
    switch (byte % 8) {
        case 5: return submit(false);
        case 6: return turn(byte == 6 ? wait_ns : 0);  // Mostly without a wait: that is faster.
        case 7: return disturb(byte >> 3U);
        default: return push();
    }
}

void sqe_machine::push() {
    const ring_view& view = backend_->view();
    const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
    if (tail - view.sq_head->load(std::memory_order_acquire) == view.sq_entries) {
        submit(true);
        if (tail - view.sq_head->load(std::memory_order_acquire) == view.sq_entries) return;
    }
    std::array<std::uint8_t, sizeof(sqe)> raw{};
    for (std::uint8_t& each : raw) each = next();
    sqe entry;
    std::memcpy(&entry, raw.data(), sizeof entry);
    entry.user_data = entries_.size();
    fold(entry);
    entry_state state;
    state.silent = (entry.flags & sqe_flag::cqe_skip_success) != 0;
    state.is_poll = entry.op == opcode::poll_add;
    state.is_chained = is_chained(entry);
    entries_.push_back(state);
    // Who is silent in a chain with a silent member depends on who fails.
    if (state.silent || (entries_.size() > 1 && entries_[entries_.size() - 2].silent)) {
        for (std::size_t index = entries_.size(); index-- > 0;) {
            if (index + 1 < entries_.size() && !entries_[index].is_chained) break;
            entries_[index].silent = true;
        }
    }
    view.sqes[tail & (view.sq_entries - 1)] = entry;
    view.sq_tail->store(tail + 1, std::memory_order_release);
}

std::int32_t sqe_machine::descriptor(std::uint32_t pick) const {
    return descriptors_[pick % descriptors_.size()];
}

std::uint64_t sqe_machine::in_arena(std::uint64_t address) const {
    return address == 0 ? 0 : detail::address_of(arena_ + address % arena_bytes);
}

std::byte* sqe_machine::keep(std::size_t bytes) {
    kept_.push_back(std::make_unique<std::byte[]>(std::max<std::size_t>(bytes, 1)));
    return kept_.back().get();
}

template <class Type>
Type* sqe_machine::keep_copy(const Type& of) {
    std::byte* const memory = keep(sizeof of);
    std::memcpy(memory, &of, sizeof of);
    return reinterpret_cast<Type*>(memory);
}

void sqe_machine::fold(sqe& entry) {
    const std::int32_t domain = entry.fd;
    entry.fd = descriptor(static_cast<std::uint32_t>(entry.fd));
    if ((entry.flags & sqe_flag::buffer_select) != 0) entry.buf_index &= 3U;
    switch (entry.op) {
        case opcode::socket: entry.fd = domain; return;
        case opcode::close:
            // The ring's own descriptor is not the program's to close.
            if (entry.fd == messages_) entry.fd = closed_descriptor;
            return;
        case opcode::sendmsg:
        case opcode::sendmsg_zc:
        case opcode::recvmsg: return fold_message(entry);
        case opcode::readv:
        case opcode::writev: return fold_pieces(entry);
        case opcode::send:
        case opcode::send_zc:
            if (entry.off != 0) fold_address(entry.off, sockaddr_bytes);
            if ((entry.ioprio & transfer_flag::send_vectorized) != 0) return fold_pieces(entry);
            entry.addr = in_arena(entry.addr);
            return;
        case opcode::accept:
            if (entry.addr != 0) entry.addr = detail::address_of(keep(sockaddr_bytes));
            if (entry.off != 0) {
                entry.off = detail::address_of(
                    keep_copy(static_cast<std::uint32_t>(entry.off % (sockaddr_bytes + 1))));
            }
            return;
        case opcode::connect:
        case opcode::bind:
            return fold_address(entry.addr, std::min<std::uint64_t>(entry.off, sockaddr_bytes));
        case opcode::timeout:
        case opcode::link_timeout: return fold_time(entry.addr);
        case opcode::timeout_remove: entry.addr %= entries_.size() + 1; return fold_time(entry.off);
        case opcode::poll_remove:
            entry.addr %= entries_.size() + 1;
            if ((entry.len & poll_flag::update_user_data) != 0) {
                entry.off = mark_of_rename;
                renames_ = true;
            }
            return;
        case opcode::async_cancel: entry.addr %= entries_.size() + 1; return;
        case opcode::msg_ring: entry.off = mark_of_message; return;
        default: entry.addr = in_arena(entry.addr); return;
    }
}

// A header of its own size; what it points at is the arena's, and the rest is the input's bits.
void sqe_machine::fold_message(sqe& entry) {
    if (entry.addr == 0) return;
    const std::uint64_t bits = entry.addr;
    sqe pieces = entry;
    pieces.len = static_cast<std::uint32_t>(bits >> 8U) & 0xffU;
    fold_pieces(pieces);
    msghdr header{};
    header.msg_iov = detail::pointer_of<iovec>(pieces.addr);
    header.msg_iovlen = pieces.len;
    if ((bits & 1U) != 0) {
        std::uint64_t name = bits;
        fold_address(name, sockaddr_bytes);
        header.msg_name = detail::pointer_of<std::byte>(name);
        header.msg_namelen = static_cast<socklen_t>(bits >> 16U) % (sockaddr_bytes + 1);
    }
    if ((bits & 2U) != 0) {
        header.msg_controllen = static_cast<std::size_t>(bits >> 24U) % 64;
        header.msg_control = keep(header.msg_controllen);
    }
    header.msg_flags = static_cast<int>(bits >> 32U);
    entry.addr = detail::address_of(keep_copy(header));
}

// `len` of them: a number that the program must not get wrong.
void sqe_machine::fold_pieces(sqe& entry) {
    entry.len %= pieces_most;
    if (entry.addr == 0) return;
    auto* const all = reinterpret_cast<iovec*>(keep(entry.len * sizeof(iovec)));
    std::uint64_t bits = entry.addr;
    for (std::uint32_t index = 0; index < entry.len; ++index) {
        bits = bits * 6364136223846793005ULL + 1442695040888963407ULL;
        all[index].iov_base = detail::pointer_of<std::byte>(in_arena(bits >> 40U));
        all[index].iov_len = (bits >> 20U) % ((bits & 1U) != 0 ? 64 : 100'000);
    }
    entry.addr = detail::address_of(all);
}

void sqe_machine::fold_address(std::uint64_t& pointer, std::uint64_t bytes) {
    if (pointer == 0) return;
    sockaddr_in address = loopback(0);
    switch (pointer % 4) {
        case 0: address = loopback(port_); break;
        case 1: address.sin_family = AF_UNIX; break;  // In no file system: the name is zeros.
        case 2: address.sin_family = 0x7777; break;
        default: break;
    }
    if (address.sin_family == AF_UNIX) std::memset(&address.sin_port, 0, sizeof address - 2);
    std::byte* const copy = keep(bytes);
    std::memcpy(copy, &address, std::min<std::size_t>(bytes, sizeof address));
    pointer = detail::address_of(copy);
}

// About now, in the past, or no time at all.
void sqe_machine::fold_time(std::uint64_t& pointer) {
    if (pointer == 0) return;
    kernel_timespec time{};
    time.tv_sec = static_cast<std::int64_t>(pointer >> 32U) % 4 - 1;
    time.tv_nsec = static_cast<std::int64_t>(pointer & 0x7fff'ffffU);
    pointer = detail::address_of(keep_copy(time));
}

void sqe_machine::submit(bool with_completions) {
    const ring_view& view = backend_->view();
    const std::uint32_t waiting = view.sq_tail->load(std::memory_order_relaxed) -
                                  view.sq_head->load(std::memory_order_acquire);
    const int took = backend_->enter(
        waiting, 0, with_completions ? backends::enter_flag::getevents : 0, backends::no_timeout);
    demand(took >= 0 || took == -EBUSY || took == -EAGAIN || took == -EINTR, "enter failed");
    demand(took <= static_cast<int>(waiting), "more entries taken than there were");
    if (took > 0) taken_ += static_cast<std::size_t>(took);
}

void sqe_machine::turn(std::int64_t timeout_ns) {
    const int result = backend_->enter(0, 1, backends::enter_flag::getevents, timeout_ns);
    demand(result == 0 || result == -ETIME || result == -EBUSY || result == -EAGAIN ||
               result == -EINTR,
           "a wait failed");
    reap();
}

void sqe_machine::reap() {
    const ring_view& view = backend_->view();
    std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    const std::uint32_t tail = view.cq_tail->load(std::memory_order_acquire);
    demand(tail - head <= view.cq_entries, "more completions than there is room for");
    for (; head != tail; ++head) take(view.cqes[head & (view.cq_entries - 1)]);
    view.cq_head->store(head, std::memory_order_release);
}

void sqe_machine::take(const cqe& done) {
    if (done.user_data >= mark_of_message) {
        demand(done.user_data == mark_of_message || done.user_data == mark_of_cancel ||
                   (done.user_data == mark_of_rename && renames_),
               "a completion of nobody's");
        return;
    }
    demand(done.user_data < taken_, "a completion of what was not submitted");
    entry_state& state = entries_[static_cast<std::size_t>(done.user_data)];
    demand(!state.finished, "a completion after the last one");
    if (!done.more()) state.finished = true;
}

// What the world does: bytes that come and go, ends that hang up, a wake, buffers that come back.
void sqe_machine::disturb(std::uint8_t argument) {
    const std::int32_t fd = descriptors_[argument % 4U];
    std::array<std::byte, 512> bytes{};
    switch (argument >> 2U) {
        case 0:
        case 1: (void)!::send(fd, bytes.data(), 64, MSG_DONTWAIT | MSG_NOSIGNAL); return;
        case 2: (void)!::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT); return;
        case 3: (void)::shutdown(fd, argument % 3); return;
        case 4: (void)backend_->register_(backends::register_op::wake, nullptr, 0); return;
        case 5: {
            backends::socket_shutdown how{fd, argument};
            (void)backend_->register_(backends::register_op::shutdown_now, &how, 0);
            return;
        }
        case 6: {
            auto* const tail = reinterpret_cast<std::uint16_t*>(memory().records + 14);
            __atomic_store_n(tail, static_cast<std::uint16_t>(*tail + 1), __ATOMIC_RELEASE);
            return;
        }
        default: reap(); return;
    }
}

bool sqe_machine::is_anything_left() const {
    for (std::size_t index = 0; index < taken_; ++index) {
        const entry_state& each = entries_[index];
        const bool unknown = each.silent || (each.is_poll && renames_);
        if (!each.finished && !unknown) return true;
    }
    return false;
}

// A cancel of everything ends everything, what a cancel sets off included.
void sqe_machine::finish() {
    for (int round = 0; round < rounds_most; ++round) {
        submit(true);
        turn(0);
        const ring_view& view = backend_->view();
        const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
        if (tail != view.sq_head->load(std::memory_order_acquire)) continue;
        if (!is_anything_left()) break;
        sqe& cancel = view.sqes[tail & (view.sq_entries - 1)];
        prep_cancel_everything(cancel, mark_of_cancel);
        view.sq_tail->store(tail + 1, std::memory_order_release);
        const int took = backend_->enter(1, 0, 0, backends::no_timeout);
        if (took == 1) continue;
        view.sq_tail->store(tail, std::memory_order_release);  // It is offered again.
    }
    demand(!is_anything_left(), "something never ends");
}

}  // namespace ioring::fuzz
