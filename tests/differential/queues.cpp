// SPDX-License-Identifier: MIT
// queues.cpp - backends by name.
#include "differential/queues.hpp"

#include <map>

#include "backend/registry.hpp"
#include "backend/uring/detect.hpp"
#include "backend/uring/uring_backend.hpp"

namespace ioring::differential {
namespace {

namespace uring = backends::uring;

struct older_kernel {
    uring::kernel_mask mask;
    uring::abilities known;
};

void hide(uring::kernel_mask& mask, std::initializer_list<feature> features) {
    for (const feature which : features) mask.features.set(static_cast<std::size_t>(which));
}

uring::kernel_mask mask_of(std::string_view name) {
    uring::kernel_mask mask;
    mask.setup_flags = uring::setup_flag::no_sq_array;
    hide(mask, {feature::incremental_buffers, feature::bundles, feature::send_vectorized,
                feature::timeout_multishot});
    if (name == "uring_5_19") {
        mask.setup_flags |= uring::setup_flag::defer_taskrun | uring::setup_flag::single_issuer;
        hide(mask, {feature::recv_multishot, feature::send_zero_copy});
    }
    return mask;
}

// Detection is a millisecond, so once a process.
const older_kernel* find_older_kernel(const std::string& name, std::string& why) {
    static std::map<std::string, older_kernel> known;
    if (const auto found = known.find(name); found != known.end()) return &found->second;
    older_kernel made{mask_of(name), {}};
    if (uring::detect(uring::kernel{made.mask}, made.known, why)) return nullptr;
    return &known.emplace(name, made).first->second;
}

}  // namespace

std::unique_ptr<backends::backend> set_up_by_name(std::string_view name,
                                                  const backends::backend_options& options,
                                                  std::string& why) {
    if (name.starts_with("uring_")) {
        std::unique_ptr<backends::backend> made;
        const older_kernel* const older = find_older_kernel(std::string{name}, why);
        if (older == nullptr ||
            uring::uring_backend::create(options, older->mask, older->known, made, why)) {
            return nullptr;
        }
        return made;
    }
    backends::chosen_backend chosen;
    if (backends::choose(name, options, chosen, why)) return nullptr;
    return std::move(chosen.instance);
}

}  // namespace ioring::differential
