// SPDX-License-Identifier: MIT
// poller_contract_linux_test.cpp - what poller.hpp promises, on every poller.
#include <sys/resource.h>

#include <thread>

#include "poller_test_support.hpp"
#include "pollers.hpp"

namespace ioring::backends::readiness {
namespace {

template <class Poller>
class poller_contract_test : public poller_test<Poller> {
protected:
    using poller_test<Poller>::poller_;
    using poller_test<Poller>::arm;
    using poller_test<Poller>::told;
    using poller_test<Poller>::hears;
    using poller_test<Poller>::silent;
    using poller_test<Poller>::flush;

    connection pair_ = connected();
};
TYPED_TEST_SUITE(poller_contract_test, every_poller, poller_name);

TYPED_TEST(poller_contract_test, bytes_are_an_event_of_reading) {
    this->arm(this->pair_.ours, direction::read);
    EXPECT_TRUE(this->silent(this->pair_.ours, direction::read));
    send_text(this->pair_.theirs, "x");
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::read));
}

TYPED_TEST(poller_contract_test, each_once_is_an_event) {
    for (int round = 0; round < 10; ++round) {
        this->arm(this->pair_.ours, direction::read);
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        ASSERT_EQ(1U, drain(this->pair_.ours));
    }
}

TYPED_TEST(poller_contract_test, what_has_come_before_it_is_armed_by_edge_is_an_event) {
    send_text(this->pair_.theirs, "x");
    this->arm(this->pair_.ours, direction::read, arming::edge);
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::read));
}

TYPED_TEST(poller_contract_test, what_comes_between_the_try_and_the_arming_is_an_event) {
    for (int round = 0; round < 10; ++round) {
        ASSERT_EQ(0U, drain(this->pair_.ours));  // The try, which would wait.
        send_text(this->pair_.theirs, "x");
        this->arm(this->pair_.ours, direction::read);
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        drain(this->pair_.ours);
    }
}

TYPED_TEST(poller_contract_test, an_edge_is_an_event_each_time_without_arming_again) {
    this->arm(this->pair_.ours, direction::read, arming::edge);
    for (int round = 0; round < 10; ++round) {
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        this->read_all(this->pair_.ours);
    }
}

TYPED_TEST(poller_contract_test, an_edge_outlives_the_once_after_it) {
    this->arm(this->pair_.ours, direction::read, arming::edge);
    this->arm(this->pair_.ours, direction::read, arming::once);
    for (int round = 0; round < 5; ++round) {
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        this->read_all(this->pair_.ours);
        if (round == 2) this->arm(this->pair_.ours, direction::read, arming::once);
    }
}

TYPED_TEST(poller_contract_test, a_pending_once_becomes_an_edge) {
    this->arm(this->pair_.ours, direction::read, arming::once);
    this->flush();  // It is with the system now.
    this->arm(this->pair_.ours, direction::read, arming::edge);
    for (int round = 0; round < 5; ++round) {
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        this->read_all(this->pair_.ours);
    }
}

TYPED_TEST(poller_contract_test, one_that_hears_changes_tells_what_is_not_armed_any_more) {
    if constexpr (TypeParam::hears_changes) {
        this->arm(this->pair_.ours, direction::read, arming::once);
        for (int round = 0; round < 5; ++round) {
            send_text(this->pair_.theirs, "x");
            ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
            drain(this->pair_.ours);
        }
    }
}

TYPED_TEST(poller_contract_test, reading_and_writing_are_told_apart_and_neither_disarms_the_other) {
    fill(this->pair_.ours);
    this->arm(this->pair_.ours, direction::read | direction::write);
    send_text(this->pair_.theirs, "x");
    EXPECT_EQ(direction::read,
              this->told(this->pair_.ours, direction::read) & (direction::read | direction::write));
    EXPECT_TRUE(this->silent(this->pair_.ours, direction::write));
    while (drain(this->pair_.theirs) > 0 || this->silent(this->pair_.ours, direction::write)) {
        if (this->HasFailure()) break;
        drain(this->pair_.theirs);
        if (this->told(this->pair_.ours, direction::write, silence_ns) != 0) return;
    }
}

TYPED_TEST(poller_contract_test, a_thread_that_reads_makes_room_to_write) {
    fill(this->pair_.ours);
    this->arm(this->pair_.ours, direction::write);
    EXPECT_TRUE(this->silent(this->pair_.ours, direction::write));
    std::thread reader{[this] {
        std::vector<char> bytes(1 << 20);
        while (::recv(this->pair_.theirs.get(), bytes.data(), bytes.size(), 0) > 0) {
        }
    }};
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::write));
    ASSERT_EQ(0, ::shutdown(this->pair_.ours.get(), SHUT_WR));
    reader.join();
}

TYPED_TEST(poller_contract_test, an_end_of_stream_is_an_event_of_reading_and_of_the_end) {
    this->arm(this->pair_.ours, direction::read | direction::ended);
    ASSERT_EQ(0, ::shutdown(this->pair_.theirs.get(), SHUT_WR));
    const std::uint8_t both = direction::read | direction::ended;
    std::uint8_t found = this->told(this->pair_.ours, both);
    if ((found & both) != both) found |= this->told(this->pair_.ours, both & ~found);
    EXPECT_EQ(both, found & both);
}

TYPED_TEST(poller_contract_test, the_end_alone_is_told_also_behind_bytes_that_nobody_reads) {
    for (const arming how : {arming::once, arming::edge}) {
        connection pair = connected();
        this->arm(pair.ours, direction::ended, how);
        for (int round = 0; round < 5; ++round) {
            send_text(pair.theirs, "x");
            ASSERT_TRUE(this->silent(pair.ours, direction::ended)) << round;
        }
        pair.theirs.close();
        EXPECT_TRUE(this->hears(pair.ours, direction::ended));
    }
}

TYPED_TEST(poller_contract_test, waiting_for_the_end_does_not_keep_readers_from_bytes) {
    this->arm(this->pair_.ours, direction::read, arming::once);
    this->flush();
    this->arm(this->pair_.ours, direction::ended, arming::once);
    for (int round = 0; round < 5; ++round) {
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        drain(this->pair_.ours);
        this->arm(this->pair_.ours, direction::read, arming::once);
    }
    this->pair_.theirs.close();
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::ended));
}

TYPED_TEST(poller_contract_test, no_direction_at_all_means_hang_ups) {
    this->arm(this->pair_.ours, 0);
    this->flush();
    reset(this->pair_.theirs);
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::all));
}

TYPED_TEST(poller_contract_test, a_reset_is_an_event_of_every_direction) {
    fill(this->pair_.ours);
    this->arm(this->pair_.ours, direction::read | direction::write);
    this->flush();
    reset(this->pair_.theirs);
    const std::uint8_t both = direction::read | direction::write;
    std::uint8_t found = this->told(this->pair_.ours, both);
    if ((found & both) != both) found |= this->told(this->pair_.ours, both & ~found);
    EXPECT_EQ(both, found & both);
}

TYPED_TEST(poller_contract_test, a_connection_to_accept_is_an_event_of_reading) {
    sockaddr_in address{};
    const descriptor_owner listener = listening(address);
    for (int round = 0; round < 3; ++round) {
        this->arm(listener, direction::read);
        const descriptor_owner client{::socket(AF_INET, SOCK_STREAM, 0)};
        ASSERT_EQ(0, connect_to(client.get(), address));
        ASSERT_TRUE(this->hears(listener, direction::read));
        const descriptor_owner accepted{::accept(listener.get(), nullptr, nullptr)};
        ASSERT_LE(0, accepted.get());
    }
}

TYPED_TEST(poller_contract_test, an_attempt_to_connect_that_ends_is_an_event_of_writing) {
    sockaddr_in address{};
    descriptor_owner listener = listening(address);
    for (const bool refused : {false, true}) {
        if (refused) listener.close();
        const descriptor_owner client{::socket(AF_INET, SOCK_STREAM, 0)};
        make_nonblocking(client.get());
        ASSERT_EQ(-1, connect_to(client.get(), address));
        if (errno != EINPROGRESS) continue;  // Refused at once.
        this->arm(client, direction::write);
        EXPECT_TRUE(this->hears(client, direction::write)) << refused;
        this->poller_.forget(client.get());
    }
}

TYPED_TEST(poller_contract_test, out_of_band_data_is_an_urgent_event) {
    this->arm(this->pair_.ours, direction::urgent);
    send_text(this->pair_.theirs, "x");
    EXPECT_TRUE(this->silent(this->pair_.ours, direction::urgent));
    ASSERT_EQ(1, ::send(this->pair_.theirs.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL));
    EXPECT_TRUE(this->hears(this->pair_.ours, direction::urgent));
}

TYPED_TEST(poller_contract_test, what_is_forgotten_is_not_heard_of_again) {
    for (const bool with_the_system : {false, true}) {
        connection pair = connected();
        this->arm(pair.ours, direction::all, arming::edge);
        if (with_the_system) this->flush();
        send_text(pair.theirs, "x");
        this->poller_.forget(pair.ours.get());
        pair.theirs.close();
        EXPECT_TRUE(this->silent(pair.ours)) << with_the_system;
    }
}

TYPED_TEST(poller_contract_test, what_was_forgotten_can_be_armed_again) {
    for (int round = 0; round < 3; ++round) {
        this->arm(this->pair_.ours, direction::read, arming::edge);
        if (round != 1) this->flush();
        this->poller_.forget(this->pair_.ours.get());
        this->arm(this->pair_.ours, direction::read, arming::once);
        send_text(this->pair_.theirs, "x");
        ASSERT_TRUE(this->hears(this->pair_.ours, direction::read)) << round;
        drain(this->pair_.ours);
        this->poller_.forget(this->pair_.ours.get());
    }
    this->poller_.forget(12'345);  // Nothing is known of it.
}

TYPED_TEST(poller_contract_test, a_number_that_is_in_use_again_is_a_new_descriptor) {
    for (const arming how : {arming::once, arming::edge}) {
        for (const std::uint8_t which : {direction::read, direction::ended}) {
            connection first = connected();
            connection second = connected();
            this->arm(first.ours, which, how);
            this->flush();
            const int number = first.ours.get();
            // Behind the poller's back: no forget().
            ASSERT_EQ(number, ::dup2(second.ours.get(), number));
            ASSERT_TRUE(this->silent(first.ours, direction::read));
            this->arm(first.ours, which, how);
            if (which == direction::read) {
                send_text(second.theirs, "x");
            } else {
                second.theirs.close();
            }
            EXPECT_TRUE(this->hears(first.ours, which)) << int{which};
            this->poller_.forget(number);
        }
    }
}

TYPED_TEST(poller_contract_test, what_the_system_refuses_is_an_event) {
    descriptor_owner gone{::dup(0)};
    const int number = gone.get();
    gone.close();
    ASSERT_TRUE(this->poller_.reserve(number));
    for (const arming how : {arming::once, arming::edge, arming::once}) {
        for (const std::uint8_t which : {direction::read, direction::write}) {
            std::array<ready_event, 4> events{};
            this->poller_.arm(number, which, how);
            ASSERT_EQ(1, this->poller_.wait(events, patience_ns));
            EXPECT_EQ(number, events[0].fd);
            EXPECT_NE(0, events[0].directions & which);
            this->poller_.forget(number);
        }
    }
}

TYPED_TEST(poller_contract_test, one_that_is_refused_does_not_hide_the_others) {
    descriptor_owner gone{::dup(0)};
    const int number = gone.get();
    gone.close();
    std::vector<connection> many;
    for (int index = 0; index < 100; ++index) many.push_back(connected());
    for (int index = 0; index < 50; ++index) {
        this->arm(many[static_cast<std::size_t>(index)].ours, direction::read);
    }
    ASSERT_TRUE(this->poller_.reserve(number));
    this->poller_.arm(number, direction::read, arming::once);
    for (int index = 50; index < 100; ++index) {
        this->arm(many[static_cast<std::size_t>(index)].ours, direction::read);
    }
    for (connection& each : many) {
        send_text(each.theirs, "x");
        ASSERT_TRUE(this->hears(each.ours, direction::read));
    }
}

TYPED_TEST(poller_contract_test, a_closed_one_among_many_does_not_hide_the_others) {
    std::vector<connection> many;
    for (int index = 0; index < 100; ++index) many.push_back(connected());
    for (const connection& each : many) this->arm(each.ours, direction::read);
    this->flush();
    many[30].ours.close();  // Behind the poller's back, and armed by edge: its knote is to go.
    for (const connection& each : many) {
        if (each.ours.get() >= 0) this->arm(each.ours, direction::read, arming::edge);
    }
    for (connection& each : many) {
        if (each.ours.get() < 0) continue;
        send_text(each.theirs, "x");
        ASSERT_TRUE(this->hears(each.ours, direction::read));
    }
}

TYPED_TEST(poller_contract_test, more_events_than_room_come_one_after_the_other) {
    std::vector<connection> many;
    for (int index = 0; index < 100; ++index) {
        many.push_back(connected());
        send_text(many.back().theirs, "x");
        this->arm(many.back().ours, direction::read, arming::edge);
    }
    std::vector<int> told(2048);
    for (std::size_t missing = many.size(); missing > 0;) {
        std::array<ready_event, 3> events{};
        const int count = this->poller_.wait(events, patience_ns);
        ASSERT_LT(0, count);
        for (int index = 0; index < count; ++index) {
            const int fd = events[static_cast<std::size_t>(index)].fd;
            if (told.at(static_cast<std::size_t>(fd))++ == 0) --missing;
        }
    }
}

TYPED_TEST(poller_contract_test, room_for_one_event_is_enough) {
    std::array<ready_event, 1> event{};
    for (const arming how : {arming::once, arming::edge}) {
        this->arm(this->pair_.ours, direction::read | direction::ended | direction::urgent, how);
        send_text(this->pair_.theirs, "x");
        ASSERT_EQ(1, this->poller_.wait(event, patience_ns));
        EXPECT_EQ(this->pair_.ours.get(), event[0].fd);
        drain(this->pair_.ours);
        this->flush();
    }
}

TYPED_TEST(poller_contract_test, arming_many_times_is_arming_once) {
    for (int round = 0; round < 100'000; ++round) {
        this->arm(this->pair_.ours, direction::all, round % 3 == 0 ? arming::edge : arming::once);
    }
    for (int round = 0; round < 1'000; ++round) {
        this->arm(this->pair_.ours, direction::read);
        this->poller_.forget(this->pair_.ours.get());
    }
    this->arm(this->pair_.ours, direction::read);
    send_text(this->pair_.theirs, "x");
    std::array<ready_event, 8> events{};
    ASSERT_EQ(1, this->poller_.wait(events, patience_ns));
    EXPECT_TRUE(this->silent(this->pair_.ours));
}

TYPED_TEST(poller_contract_test, nothing_ends_a_wait_but_its_time) {
    this->arm(this->pair_.ours, direction::all & ~direction::write);
    this->flush();  // A poller may tell too much, such as that there is room to send.
    std::array<ready_event, 4> events{};
    for (const std::int64_t wait : {std::int64_t{0}, millisecond_ns / 2, 30 * millisecond_ns}) {
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(0, this->poller_.wait(events, wait));
        EXPECT_LE(wait, (std::chrono::steady_clock::now() - before).count());
    }
}

TYPED_TEST(poller_contract_test, bytes_for_nobody_do_not_end_a_wait) {
    this->arm(this->pair_.ours, direction::ended);
    std::array<ready_event, 4> events{};
    const auto before = std::chrono::steady_clock::now();
    send_text(this->pair_.theirs, "x");
    // A poller may tell too much, and then it may come sooner.
    if (this->poller_.wait(events, 30 * millisecond_ns) == 0) {
        EXPECT_LE(30 * millisecond_ns, (std::chrono::steady_clock::now() - before).count());
    }
}

TYPED_TEST(poller_contract_test, wakes_before_a_wait_end_it_and_are_one) {
    std::array<ready_event, 4> events{};
    for (int round = 0; round < 3; ++round) {
        for (int times = 0; times < 10'000; ++times) this->poller_.wake();
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(0, this->poller_.wait(events, patience_ns));
        EXPECT_GT(patience_ns / 2, (std::chrono::steady_clock::now() - before).count());
        const auto again = std::chrono::steady_clock::now();
        EXPECT_EQ(0, this->poller_.wait(events, silence_ns));
        EXPECT_LE(silence_ns, (std::chrono::steady_clock::now() - again).count());
    }
}

TYPED_TEST(poller_contract_test, a_wake_leaves_errno_alone) {
    errno = EDOM;
    this->poller_.wake();
    EXPECT_EQ(EDOM, errno);
}

TYPED_TEST(poller_contract_test, a_wake_by_another_thread_ends_each_wait) {
    std::array<ready_event, 4> events{};
    for (int round = 0; round < 200; ++round) {
        std::thread other{[this] { this->poller_.wake(); }};
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(0, this->poller_.wait(events, patience_ns));
        EXPECT_GT(patience_ns / 2, (std::chrono::steady_clock::now() - before).count());
        other.join();
    }
}

TYPED_TEST(poller_contract_test, events_and_wakes_of_threads_do_not_hide_each_other) {
    this->arm(this->pair_.ours, direction::read, arming::edge);
    for (int round = 0; round < 100; ++round) {
        std::thread other{[this] {
            this->poller_.wake();
            send_text(this->pair_.theirs, "x");
            this->poller_.wake();
        }};
        EXPECT_TRUE(this->hears(this->pair_.ours, direction::read));
        other.join();
        this->read_all(this->pair_.ours);
        this->flush();
    }
}

TYPED_TEST(poller_contract_test, the_descriptor_is_closed_on_exec_and_by_the_end) {
    const int before = ::dup(0);
    ::close(before);
    {
        TypeParam other;
        std::string why;
        ASSERT_FALSE(other.set_up(why)) << why;
        ASSERT_LE(0, other.native());
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(other.native(), F_GETFD));
        ASSERT_TRUE(other.reserve(this->pair_.ours.get()));
        other.arm(this->pair_.ours.get(), direction::all, arming::edge);
        std::array<ready_event, 4> events{};
        (void)other.wait(events, 0);
    }
    const int after = ::dup(0);
    ::close(after);
    EXPECT_EQ(before, after);
}

TYPED_TEST(poller_contract_test, too_few_descriptors_are_an_error_with_a_reason) {
    rlimit limit{};
    ASSERT_EQ(0, ::getrlimit(RLIMIT_NOFILE, &limit));
    const int free_number = ::dup(0);
    ::close(free_number);
    // From none at all to all but the last that a poller may need.
    for (int allowed = 0; allowed < 8; ++allowed) {
        rlimit tight = limit;
        tight.rlim_cur = static_cast<rlim_t>(free_number) + static_cast<rlim_t>(allowed);
        ASSERT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &tight));
        {
            TypeParam other;
            std::string why;
            const std::error_code error = other.set_up(why);
            if (error) {
                EXPECT_EQ(std::errc::too_many_files_open, error) << why;
                EXPECT_FALSE(why.empty());
            } else {
                EXPECT_LT(0, allowed);
            }
        }
        const int now = ::dup(0);
        ::close(now);
        ASSERT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &limit));
        EXPECT_EQ(allowed == 0 ? -1 : free_number, now);
    }
}

}  // namespace
}  // namespace ioring::backends::readiness
