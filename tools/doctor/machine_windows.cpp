// SPDX-License-Identifier: MIT
// machine_windows.cpp - what Windows says of itself. It has no limits of descriptors or of locked
// memory that a program could read.
#include "doctor/machine.hpp"

#include <fmt/core.h>

#include "common/system_windows.hpp"

namespace doctor {
namespace {

template <class Function>
Function find(const wchar_t* library, const char* name) {
    const HMODULE found = GetModuleHandleW(library);
    // Through void*: the compiler warns of a cast between function types.
    return found == nullptr
               ? nullptr
               : reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(found, name)));
}

// GetVersionEx() tells what the program's manifest knows, this what is there.
std::string release_of() {
    using version_function = LONG(WINAPI*)(OSVERSIONINFOW*);
    const auto ask = find<version_function>(L"ntdll.dll", "RtlGetVersion");
    OSVERSIONINFOW about{};
    about.dwOSVersionInfoSize = sizeof about;
    if (ask == nullptr || ask(&about) != 0) return {};
    std::string text =
        fmt::format("{}.{}.{}", about.dwMajorVersion, about.dwMinorVersion, about.dwBuildNumber);
    using wine_function = const char*(CDECL*)();
    if (const auto wine = find<wine_function>(L"ntdll.dll", "wine_get_version"); wine != nullptr) {
        text += fmt::format(" (Wine {})", wine());
    }
    return text;
}

const char* architecture_of(const SYSTEM_INFO& about) {
    constexpr WORD arm64 = 12;  // Older headers have no name for it.
    switch (about.wProcessorArchitecture) {
        case PROCESSOR_ARCHITECTURE_AMD64: return "x86_64";
        case arm64: return "arm64";
        case PROCESSOR_ARCHITECTURE_INTEL: return "x86";
        default: return "";
    }
}

}  // namespace

machine examine_machine() {
    machine found;
    found.system = "Windows";
    found.release = release_of();
    SYSTEM_INFO about{};
    GetNativeSystemInfo(&about);
    found.architecture = architecture_of(about);
    // Mappings are made of these, not of pages.
    found.page_bytes = about.dwAllocationGranularity;
    MEMORYSTATUSEX memory{};
    memory.dwLength = sizeof memory;
    if (GlobalMemoryStatusEx(&memory) != 0) found.memory_available_bytes = memory.ullAvailPhys;
    return found;
}

}  // namespace doctor
