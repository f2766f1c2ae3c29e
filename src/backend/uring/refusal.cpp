// SPDX-License-Identifier: MIT
// refusal.cpp - the kernel's refusals in sentences.
#include "backend/uring/refusal.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "backend/uring/mapping.hpp"
#include "platform/limits.hpp"

namespace ioring::backends::uring {
namespace {

// The value of the sysctl kernel.io_uring_disabled: 0 allowed, 1 for privileged processes only,
// 2 for none, or '?' where there is no such sysctl (before Linux 6.6) or it cannot be read.
char disabled_sysctl() noexcept {
    const descriptor file{::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC)};
    char value = '?';
    if (file.get() < 0 || ::read(file.get(), &value, 1) != 1) return '?';
    return value;
}

std::string kernel_name() {
    utsname name{};
    if (::uname(&name) != 0) return "this kernel";
    return std::string{"Linux "} + name.release;
}

std::error_code generic(int error) { return {-error, std::generic_category()}; }

void explain_forbidden(const char* code, std::string& why) {
    const char disabled = disabled_sysctl();
    if (disabled == '1' || disabled == '2') {
        why =
            std::string{
                "the administrator has turned io_uring off (sysctl "
                "kernel.io_uring_disabled = "} +
            disabled + ", " + code + "); set it to 0, or choose another backend";
        return;
    }
    why = std::string{"io_uring is forbidden here ("} + code +
          "), most likely by a container's seccomp profile or a security module; allow "
          "io_uring_setup, io_uring_enter and io_uring_register in the profile, or choose another "
          "backend";
}

std::string limit_text(std::uint64_t limit) {
    return limit == platform::unlimited ? "unlimited" : std::to_string(limit);
}

std::string descriptors_text(int error) {
    if (error == -ENFILE) {
        return "no descriptor for a ring: the system's limit of open files is reached; raise "
               "fs.file-max or close some";
    }
    return "no descriptor for a ring: this process has reached its limit of " +
           limit_text(platform::descriptor_limit().soft) +
           " open files; raise it (ulimit -n) or close some";
}

std::string memory_text(std::uint32_t sq_entries, std::uint32_t cq_entries) {
    return "no memory for a ring of " + std::to_string(sq_entries) + " and " +
           std::to_string(cq_entries) + " entries: the user's limit of locked memory is " +
           limit_text(platform::memlock_limit().soft) +
           " bytes; raise it (ulimit -l), ask for fewer entries, or close other rings";
}

}  // namespace

std::error_code explain_setup_error(int error, std::uint32_t sq_entries, std::uint32_t cq_entries,
                                    std::string& why) {
    switch (-error) {
        case ENOSYS:
            why = kernel_name() +
                  " has no io_uring (ENOSYS): it was built without it, or a "
                  "container's seccomp profile hides it; allow io_uring_setup, io_uring_enter and "
                  "io_uring_register there, or choose another backend";
            return std::make_error_code(std::errc::not_supported);
        case EPERM:
            explain_forbidden("EPERM", why);
            return std::make_error_code(std::errc::operation_not_permitted);
        case EACCES:
            explain_forbidden("EACCES", why);
            return std::make_error_code(std::errc::operation_not_permitted);
        case EMFILE:
        case ENFILE: why = descriptors_text(error); return generic(error);
        case ENOMEM: why = memory_text(sq_entries, cq_entries); return generic(error);
        default:
            why = "a ring could not be set up: " + generic(error).message();
            return generic(error);
    }
}

std::error_code explain_no_rung(int error, std::string& why) {
    why = kernel_name() + " has an io_uring that is too old for this library (io_uring_setup: " +
          generic(error).message() + "); Linux 5.19 or newer is needed, or another backend";
    return std::make_error_code(std::errc::not_supported);
}

std::error_code explain_missing(feature which, std::string& why) {
    why = kernel_name() + " has an io_uring that is too old for this library (it lacks " +
          std::string{to_string(which)} + "); Linux 5.19 or newer is needed, or another backend";
    return std::make_error_code(std::errc::not_supported);
}

}  // namespace ioring::backends::uring
