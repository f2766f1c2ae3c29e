// SPDX-License-Identifier: MIT
// mirror_map_windows.cpp - memory objects of the paging file, mapped twice.
//
// A placeholder is a reservation that can be cut and replaced piece by piece, so that nobody else
// can take a piece meanwhile. Where there are none, the addresses are given back and mapped at
// once; another thread may be faster, and then it is tried elsewhere.
#include <array>
#include <cerrno>

#include "platform/mirror_map_os.hpp"
#include "platform/mirror_views_windows.hpp"
#include "platform/text.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::platform {
namespace {

// Own constants: headers of distributions are older than the system.
constexpr DWORD reserve_placeholder = 0x0004'0000;
constexpr DWORD replace_placeholder = 0x0000'4000;
constexpr DWORD preserve_placeholder = 0x0000'0002;

constexpr int attempts_max = 64;

using allocate_function = void*(WINAPI*)(HANDLE process, void* at, SIZE_T bytes, ULONG kind,
                                         ULONG protection, void* parameters, ULONG count);
using map_function = void*(WINAPI*)(HANDLE object, HANDLE process, void* at, ULONG64 offset,
                                    SIZE_T bytes, ULONG kind, ULONG protection, void* parameters,
                                    ULONG count);

struct newer_calls {
    allocate_function allocate = nullptr;
    map_function map = nullptr;
};

template <class Function>
Function find(HMODULE library, const char* name) noexcept {
    // Through void*: the compiler warns of a cast between function types.
    return reinterpret_cast<Function>(reinterpret_cast<void*>(::GetProcAddress(library, name)));
}

const newer_calls& newer() noexcept {
    static const newer_calls calls = [] {
        // kernelbase has them; kernel32 does not export them everywhere.
        const HMODULE library = ::GetModuleHandleW(L"kernelbase.dll");
        if (library == nullptr) return newer_calls{};
        return newer_calls{find<allocate_function>(library, "VirtualAlloc2"),
                           find<map_function>(library, "MapViewOfFile3")};
    }();
    return calls;
}

DWORD high_half(std::size_t value) noexcept { return static_cast<DWORD>(value >> 32U); }
DWORD low_half(std::size_t value) noexcept { return static_cast<DWORD>(value & 0xffff'ffffU); }

void* reserve(std::size_t bytes, bool placeholder) noexcept {
    if (!placeholder) return ::VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS);
    return newer().allocate(nullptr, nullptr, bytes, MEM_RESERVE | reserve_placeholder,
                            PAGE_NOACCESS, nullptr, 0);
}

bool split(void* at, std::size_t bytes) noexcept {
    return ::VirtualFree(at, bytes, MEM_RELEASE | preserve_placeholder) != 0;
}

void* map_over(void* object, std::size_t offset, void* at, std::size_t bytes) noexcept {
    return newer().map(object, nullptr, at, offset, bytes, replace_placeholder, PAGE_READWRITE,
                       nullptr, 0);
}

void* map_at(void* object, std::size_t offset, void* at, std::size_t bytes) noexcept {
    return ::MapViewOfFileEx(object, FILE_MAP_READ | FILE_MAP_WRITE, high_half(offset),
                             low_half(offset), bytes, at);
}

bool unmap(void* at) noexcept { return ::UnmapViewOfFile(at) != 0; }

bool release(void* at) noexcept { return ::VirtualFree(at, 0, MEM_RELEASE) != 0; }

// The second view of a buffer and the first of the next follow each other in the object, too, and
// are one view: `count` + 1 views in all.
struct view {
    std::size_t at;
    std::size_t bytes;
    std::size_t offset;
};

std::size_t view_count(const mirror_request& request) noexcept { return request.count + 1; }

view view_of(const mirror_request& request, std::size_t index) noexcept {
    const std::size_t bytes = request.buffer_bytes;
    if (index == 0) return {0, bytes, 0};
    const bool last = index == request.count;
    return {(2 * index - 1) * bytes, last ? bytes : 2 * bytes, (index - 1) * bytes};
}

void unmap_first(const view_functions& by, const mirror_request& request, std::byte* data,
                 std::size_t count) noexcept {
    for (std::size_t index = 0; index < count; ++index) {
        (void)by.unmap(data + view_of(request, index).at);
    }
}

// The object's handle, closed at the end: views keep the object.
class memory_object {
public:
    explicit memory_object(std::size_t bytes) noexcept
        : handle_{::CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE,
                                       high_half(bytes), low_half(bytes), nullptr)} {}
    memory_object(const memory_object&) = delete;
    memory_object& operator=(const memory_object&) = delete;
    ~memory_object() {
        if (handle_ != nullptr) ::CloseHandle(handle_);
    }
    [[nodiscard]] HANDLE get() const noexcept { return handle_; }

private:
    HANDLE handle_;
};

std::error_code fail(int error, const char* step, const mirror_request& request, std::string* why) {
    explain(
        why, "cannot ", step, " ", request.count, " mirrored buffers of ", request.buffer_bytes,
        " bytes: ", [&] { return error_name(error); },
        error == ENOMEM ? "; use fewer buffers, or enlarge the paging file" : "");
    return errno_code(error);
}

using map_all = int (*)(const view_functions& by, void* object, const mirror_request& request,
                        std::byte*& out) noexcept;

std::error_code map_object(map_all map, const mirror_request& request, mirror_memory& out,
                           std::string* why) {
    const memory_object object{request.object_bytes()};
    if (object.get() == nullptr) return fail(win32_errno(), "get the memory for", request, why);
    std::byte* data = nullptr;
    if (const int error = map(system_views(), object.get(), request, data)) {
        return fail(error, "map", request, why);
    }
    out = {data, /*huge_pages=*/false};
    return {};
}

}  // namespace

const view_functions& system_views() noexcept {
    static const view_functions views = [] {
        view_functions all{
            .reserve = &reserve, .map_at = &map_at, .unmap = &unmap, .release = &release};
        if (newer().allocate != nullptr && newer().map != nullptr) {
            all.split = &split;
            all.map_over = &map_over;
        }
        return all;
    }();
    return views;
}

bool has_placeholders(const view_functions& by) noexcept {
    if (by.split == nullptr || by.map_over == nullptr) return false;
    void* const trial = by.reserve(page_bytes(), /*placeholder=*/true);
    return trial != nullptr && by.release(trial);
}

int map_by_placeholders(const view_functions& by, void* object, const mirror_request& request,
                        std::byte*& out) noexcept {
    auto* const data =
        static_cast<std::byte*>(by.reserve(request.mapped_bytes(), /*placeholder=*/true));
    if (data == nullptr) return win32_errno();
    const std::size_t count = view_count(request);
    for (std::size_t index = 0; index < count; ++index) {
        const view each = view_of(request, index);
        const bool last = index + 1 == count;
        const bool cut = last || by.split(data + each.at, each.bytes);
        if (cut && by.map_over(object, each.offset, data + each.at, each.bytes) != nullptr) {
            continue;
        }
        const int error = win32_errno();
        unmap_first(by, request, data, index);
        // What was cut off and not mapped, and the rest of the reservation.
        (void)by.release(data + each.at);
        if (cut && !last) (void)by.release(data + each.at + each.bytes);
        return error != 0 ? error : ENOMEM;
    }
    out = data;
    return 0;
}

int map_by_retry(const view_functions& by, void* object, const mirror_request& request,
                 std::byte*& out) noexcept {
    int error = ENOMEM;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        auto* const data =
            static_cast<std::byte*>(by.reserve(request.mapped_bytes(), /*placeholder=*/false));
        if (data == nullptr) return win32_errno();
        (void)by.release(data);
        const std::size_t count = view_count(request);
        std::size_t mapped = 0;
        while (mapped < count) {
            const view each = view_of(request, mapped);
            if (by.map_at(object, each.offset, data + each.at, each.bytes) == nullptr) break;
            ++mapped;
        }
        if (mapped == count) {
            out = data;
            return 0;
        }
        error = win32_errno();
        unmap_first(by, request, data, mapped);
    }
    return error != 0 ? error : ENOMEM;
}

std::error_code map_mirrors(const mirror_request& request, mirror_memory& out,
                            std::string* why) noexcept {
    static const bool placeholders = has_placeholders(system_views());
    return map_object(placeholders ? &map_by_placeholders : &map_by_retry, request, out, why);
}

std::error_code map_mirrors_by_retry(const mirror_request& request, mirror_memory& out,
                                     std::string* why) noexcept {
    return map_object(&map_by_retry, request, out, why);
}

void unmap_mirrors(const mirror_request& request, std::byte* data) noexcept {
    unmap_first(system_views(), request, data, view_count(request));
}

std::size_t page_bytes() noexcept {
    SYSTEM_INFO about{};
    ::GetSystemInfo(&about);
    return about.dwAllocationGranularity;
}

std::size_t huge_page_bytes() noexcept { return page_bytes(); }

}  // namespace ioring::platform
