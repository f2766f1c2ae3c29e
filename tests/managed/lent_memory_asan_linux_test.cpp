// SPDX-License-Identifier: MIT
// lent_memory_asan_linux_test.cpp - a socket's spans are the program's until the call that ends
// them.

#include "managed.hpp"
#include "support/use_after_lend.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;
using tests::read_byte;
using tests::write_byte;

class lent_span_test : public managed_test {
protected:
    // A connection with `bytes` unread.
    [[nodiscard]] pair with_unread(std::string_view bytes) {
        on_event_ = nullptr;
        pair made = accept_one();
        send(made.theirs, bytes);
        (void)until([&] { return made.ours->unread_bytes() == bytes.size(); });
        return made;
    }
};
INSTANTIATE_TEST_SUITE_P(backend, lent_span_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(lent_span_test, of_received_bytes_ends_where_they_were_consumed) {
    const std::string bytes = pattern(4096);
    const pair one = with_unread(bytes);
    const std::span<const std::byte> span = one.ours->readable();
    ASSERT_EQ(bytes, text_of(span));
    one.ours->consume(1000);
    EXPECT_EQ(bytes.substr(1000), text_of(one.ours->readable()));
    EXPECT_LENT(read_byte(span[8]));
    EXPECT_LENT(read_byte(span[999 - 8]));
    one.ours->consume(3096);
    EXPECT_LENT(read_byte(span[4000]));
}

TEST_P(lent_span_test, of_received_bytes_is_the_sends_once_they_were_forwarded) {
    const std::string bytes = pattern(4096);
    const pair one = with_unread(bytes);
    const std::span<const std::byte> span = one.ours->readable();
    ASSERT_EQ(4096U, one.ours->forward(span.size()));
    EXPECT_LENT(write_byte(const_cast<std::byte&>(span[8])));
    EXPECT_EQ(bytes, receive(one.theirs, bytes.size()));
    EXPECT_LENT(read_byte(span[8]));
}

TEST_P(lent_span_test, of_received_bytes_ends_with_the_turn_that_moves_them) {
    on_event_ = nullptr;
    const pair one = accept_one();
    std::span<const std::byte> span;
    on_event_ = [&](const socket_event& event) {
        if (event.type == event_type::received && span.empty()) span = event.socket->readable();
    };
    send(one.theirs, pattern(64));
    ASSERT_TRUE(until([&] { return !span.empty(); }));
    read_byte(span[8]);
    ASSERT_TRUE(until([&] { return one.ours->readable().data() != span.data(); }));
    EXPECT_EQ(pattern(64), text_of(one.ours->readable()));
    EXPECT_LENT(read_byte(span[8]));
}

TEST_P(lent_span_test, of_received_bytes_ends_with_the_connection) {
    const pair one = with_unread(pattern(64));
    const std::span<const std::byte> span = one.ours->readable();
    ASSERT_EQ(64U, span.size());
    one.ours->close();
    EXPECT_LENT(read_byte(span[8]));
}

TEST_P(lent_span_test, that_was_written_is_the_sends_after_its_commit) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const std::string bytes = pattern(1000);
    const std::span<std::byte> room = one.ours->writable(1000);
    ASSERT_LE(1000U, room.size());
    std::copy_n(bytes_of(bytes).begin(), bytes.size(), room.begin());
    one.ours->commit_write(1000);
    EXPECT_LENT(write_byte(room[0]));
    EXPECT_LENT(read_byte(room[999]));
    EXPECT_LENT(write_byte(room[1008])) << "not taken, but to be asked for again";
    EXPECT_EQ(bytes, receive(one.theirs, bytes.size()));
    EXPECT_LENT(read_byte(room[0]));
}

TEST_P(lent_span_test, to_write_to_ends_with_the_connection) {
    on_event_ = nullptr;
    const pair one = accept_one();
    const std::span<std::byte> room = one.ours->writable();
    ASSERT_FALSE(room.empty());
    write_byte(room[0]);
    one.ours->close();
    EXPECT_LENT(write_byte(room[0]));
}

}  // namespace
}  // namespace ioring::managed
