// SPDX-License-Identifier: MIT
// pair.hpp - two backends that are to behave alike, and the smallest program on which they do not.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "differential/compare.hpp"
#include "differential/program.hpp"
#include "differential/runner.hpp"

namespace ioring::differential {

class backend_pair {
public:
    // False when a backend cannot be set up here; `why` says it.
    bool set_up(std::string_view one, std::string_view other, std::string& why);

    // Runs `of` on both. `counts` counts what the second did.
    [[nodiscard]] std::optional<divergence> run(const program& of, coverage* counts = nullptr);
    // Of the last run().
    [[nodiscard]] std::uint32_t operations() const { return last_other_.operations; }
    // What the last run() has found, with steps by number.
    [[nodiscard]] std::string last_report() const;

    // A program with as few steps as can be of which the backends still differ. Precondition: they
    // do on `from`.
    [[nodiscard]] program shrink(const program& from);
    // The program as steps with both traces; empty when the backends agree on it.
    [[nodiscard]] std::string explain(const program& of);
    // The same, whether they agree or not.
    [[nodiscard]] std::string show(const program& of);

private:
    [[nodiscard]] bool differs(const program& of);
    bool drop_steps(program& from, std::size_t chunk);
    bool simplify_steps(program& from);
    bool simplify_world(program& from);
    void run_with_texts(const program& of);
    [[nodiscard]] trace run_one(const program& of, const run_options& options);

    std::string one_;
    std::string other_;
    probe_result common_;
    runner runner_;
    trace last_one_;
    trace last_other_;
    std::uint32_t tries_left_ = 0;
    std::chrono::steady_clock::time_point give_up_;
};

}  // namespace ioring::differential
