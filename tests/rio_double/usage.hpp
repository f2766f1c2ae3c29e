// SPDX-License-Identifier: MIT
// usage.hpp - that a thread is within a queue of the double, so that a second one is noticed.
#pragma once

#include <string>
#include <thread>

#include "rio_double.hpp"

namespace ioring::rio_tests {

// Made and destroyed while the double's mutex is held; between that it may be let go.
class rio_double::usage {
public:
    usage(rio_double& owner, user& of, const char* name) : of_(of) {
        const auto here = std::this_thread::get_id();
        if (of.depth > 0 && of.thread != here) {
            owner.violate(std::string("two threads in one ") + name);
        }
        of.thread = here;
        ++of.depth;
    }
    ~usage() { --of_.depth; }
    usage(const usage&) = delete;
    usage& operator=(const usage&) = delete;

private:
    user& of_;
};

}  // namespace ioring::rio_tests
