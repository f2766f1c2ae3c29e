// SPDX-License-Identifier: MIT
// mirror_map_darwin.cpp - mirrored memory without any descriptor, by remapping in the Mach kernel.
#include <mach/mach_init.h>
#include <mach/vm_map.h>
#include <mach/vm_statistics.h>

#include <cerrno>

#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_posix.hpp"

namespace ioring::platform {
namespace {

int errno_of(kern_return_t status) {
    switch (status) {
        case KERN_SUCCESS: return 0;
        case KERN_NO_SPACE:
        case KERN_RESOURCE_SHORTAGE: return ENOMEM;
        case KERN_INVALID_ADDRESS:
        case KERN_INVALID_ARGUMENT: return EINVAL;
        case KERN_PROTECTION_FAILURE: return EACCES;
        default: return ENOMEM;
    }
}

// Shows the first half of each buffer in its second half too. The range stays ours all the time:
// what is there is overwritten in one step, so that nobody else's mapping can come between.
kern_return_t mirror_halves(vm_address_t base, const mirror_request& request) {
    const vm_size_t bytes = request.buffer_bytes;
    for (std::size_t index = 0; index < request.count; ++index) {
        const vm_address_t first = base + 2 * index * bytes;
        vm_address_t second = first + bytes;
        vm_prot_t protection = VM_PROT_NONE;
        vm_prot_t protection_max = VM_PROT_NONE;
        const kern_return_t status =
            ::vm_remap(mach_task_self(), &second, bytes, /*mask=*/0,
                       VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE, mach_task_self(), first,
                       /*copy=*/FALSE, &protection, &protection_max, VM_INHERIT_NONE);
        if (status != KERN_SUCCESS) return status;
    }
    // The default would give a forked child private copies, whose halves are no mirrors any more.
    return ::vm_inherit(mach_task_self(), base, request.mapped_bytes(), VM_INHERIT_NONE);
}

}  // namespace

std::error_code map_mirrors(const mirror_request& request, mirror_memory& out,
                            std::string* why) noexcept {
    vm_address_t base = 0;
    kern_return_t status =
        ::vm_allocate(mach_task_self(), &base, request.mapped_bytes(), VM_FLAGS_ANYWHERE);
    if (status != KERN_SUCCESS) {
        return mirror_error(errno_of(status), "reserve addresses for", request, why);
    }
    status = mirror_halves(base, request);
    if (status != KERN_SUCCESS) {
        ::vm_deallocate(mach_task_self(), base, request.mapped_bytes());
        return mirror_error(errno_of(status), "map", request, why);
    }
    out = {reinterpret_cast<std::byte*>(base), /*huge_pages=*/false};
    return {};
}

std::size_t huge_page_bytes() noexcept { return page_bytes(); }

}  // namespace ioring::platform
