# SPDX-License-Identifier: MIT
# layers.py - which file belongs to which layer, and what it may include.
#
# The rules are those of docs/architecture.md: a file includes its own layer or a lower one;
# backends never include each other; public headers include public and standard headers only;
# headers of the operating system stay within a folder of src/platform or src/backend: its .cpp
# files include them, or a header that nobody outside of the folder reaches. So do questions about
# the system to the preprocessor.
import os
import re

# The table. A public header or a folder of src/ that it lacks is an error: say where it belongs.
PUBLIC_LAYERS = {
    0: "version sqe message prep layout probe error fd ids user_data ring_options "
       "ring_presets names trace received_message",
    1: "endpoint detail/lent_memory",
    3: "backends completions detail/ring_core listener ring",
    4: "ring_buffer buffer_pool buffer_group",
    5: "socket socket_event socket_manager task event_loop",
    7: "ioring",  # The header that includes all others, which therefore nobody of ours may include.
}
SOURCE_LAYERS = {
    "base": 0,
    "platform": 1,
    "backend": 2,
    "ring": 3,
    "buffer": 4,
    "socket": 5,
    "capi": 6,
}
C_ABI_HEADER = "include/ioring/ioring.h"  # Layer 6.
# What several backends share; these are no backends themselves, so that backends may include them.
SHARED_BY_BACKENDS = ("emulation", "iocp", "readiness", "wrapping")
# Layer 7: programs, which see the public headers and their own folder's.
PROGRAMS = {"tools": ("tools/common/",), "examples": (), "bench": ()}

STANDARD_HEADERS = frozenset("""
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
    condition_variable coroutine deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits
    list locale map memory memory_resource mutex new numbers numeric optional ostream queue random
    ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream
    stack stdexcept stop_token streambuf string string_view strstream syncstream system_error
    thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg
    cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
""".split())
C_STANDARD_HEADERS = frozenset(("stdbool.h", "stddef.h", "stdint.h"))  # For the C ABI.
# The library depends on nothing but the system, wherever it stands.
THIRD_PARTY = re.compile(
    r"^(CLI|fmt|nlohmann|gtest|gmock|benchmark|boost|asio|absl)/|^liburing|^uv\.h")

SYSTEM_FOLDERS = ("src/platform/", "src/backend/")
# Headers that tests put in the place of a system's, where the system has none of that name.
SYSTEM_STAND_INS = ("tests/kqueue_shim/include/",)

INCLUDE = re.compile(r"^\s*#\s*include(?:_next)?\b\s*(.*)$")
INCLUDE_NAME = re.compile(r'^(?:<([^>]+)>|"([^"]+)")')
CONDITION = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif|elifdef|elifndef)\b(.*)$")
SYSTEM_MACRO = re.compile(
    r"\b(_WIN32|_WIN64|__MINGW\w+|__CYGWIN__|__linux__|__linux|__gnu_linux__|__APPLE__|__MACH__"
    r"|__FreeBSD__|__NetBSD__|__OpenBSD__|__DragonFly__|__unix__|__unix|__ANDROID__)\b")


TEST_FILE = re.compile(r"(_test\.cpp|(/|_)test_support\.(hpp|cpp))$")
# Files that may ask for the system although they are at home in no system's folder, and why.
MAY_ASK_FOR_THE_SYSTEM = {
    "src/base/entry_format_test.cpp":
        "compares one list of numbers with the kernel's header where there is one",
}


def is_test(path):
    """Tests and what they share; these may include GoogleTest and headers of the system."""
    return TEST_FILE.search(path) is not None


def layer_of(path):
    """Whether a header includes the system's own, which makes it private to its folder."""
    if path == C_ABI_HEADER:
        return 6
    if path.startswith("include/ioring/"):
        stem = os.path.splitext(path[len("include/ioring/"):])[0]
        return next((n for n, names in PUBLIC_LAYERS.items() if stem in names.split()), None)
    if path.startswith("src/"):
        return SOURCE_LAYERS.get(path.split("/")[1])
    return None


def backend_of(path):
    """The backend a file belongs to, or None for what is outside of them or shared among them."""
    parts = path.split("/")
    if parts[:2] == ["src", "backend"] and len(parts) > 3 and parts[2] not in SHARED_BY_BACKENDS:
        return parts[2]
    return None


def is_registry(path):
    """A .cpp directly in src/backend, which lists the backends and so may see them."""
    return os.path.dirname(path) == "src/backend" and path.endswith(".cpp")


def shows_the_system(path, text):
    """Whether a header includes the operating system's, which makes it its folder's own."""
    includes = (INCLUDE.match(line) for line in text.splitlines())
    names = (INCLUDE_NAME.match(include.group(1)) for include in includes if include)
    private = path.endswith(".hpp") and path.startswith(SYSTEM_FOLDERS) and not is_test(path)
    return private and any(
        name and name.group(1) and name.group(1) not in STANDARD_HEADERS for name in names)


def check_reach(path, reached, system_headers=frozenset()):
    """What is wrong with the files of this tree that a file reaches by its includes.

    `system_headers` are those that shows_the_system() is true of.
    """
    problems = []
    for other in sorted(set(reached) - {path}):
        problem = reach_problem(path, other)
        if not problem and other in system_headers and not is_test(path) and (
                os.path.dirname(path) != os.path.dirname(other)):
            problem = "it includes headers of the system, so only its own folder may include it"
        if problem:
            problems.append(f"{path}: reaches {other}: {problem}")
    return problems


def reach_problem(path, other):
    top = path.split("/")[0]
    if top in PROGRAMS:
        return program_problem(path, other)
    if path.startswith("include/") and not other.startswith("include/ioring/"):
        return "a public header includes public and standard headers only"
    if is_test(path) and other.startswith("tests/support/"):
        return None
    if path.startswith(SYSTEM_FOLDERS) and other.startswith(SYSTEM_STAND_INS):
        return None
    if is_test(other) and not is_test(path):
        return "only tests see what tests share"
    mine, theirs = layer_of(path), layer_of(other)
    if mine is None:
        return f"{path} is in no layer: add it to the table in tests/tidy/layers.py"
    if theirs is None:
        return f"{other} is in no layer of the library: see the table in tests/tidy/layers.py"
    if theirs > mine:
        return f"upward, from layer {mine} to layer {theirs}"
    backend = backend_of(other)
    # A test of a layer above may set a backend up as an older kernel would.
    test_above = is_test(path) and mine > layer_of("src/backend/registry.cpp")
    if backend and backend != backend_of(path) and not is_registry(path) and not test_above:
        return f"only the registry's .cpp and backend {backend} itself may"
    return None


def program_problem(path, other):
    top, folder = path.split("/")[0], os.path.dirname(path) + "/"
    if other.startswith(("include/ioring/", folder) + PROGRAMS[top]):
        return None
    # bench/micro/x.cpp may see bench/common.hpp beside its folder, tools may not see each other.
    if top != "tools" and other.startswith(top + "/"):
        return None
    return "a program sees the public headers and its own folder only"


def check_text(path, text):
    """What is wrong with a file's own lines: angle includes and questions about the system."""
    problems = []
    at_home = path.startswith(SYSTEM_FOLDERS) or path in MAY_ASK_FOR_THE_SYSTEM
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        include = INCLUDE.match(line)
        if include and path.startswith(("include/", "src/")):
            problem = include_problem(path, include.group(1))
            if problem:
                problems.append(f"{where}: {problem}")
        condition = CONDITION.match(line)
        macro = condition and SYSTEM_MACRO.search(condition.group(1))
        if macro and not at_home:
            problems.append(f"{where}: asks for {macro.group(1)}: systems differ in src/platform "
                            "and src/backend only, one file each")
    return problems


def include_problem(path, operand):
    name = INCLUDE_NAME.match(operand)
    if not name:
        return f"#include {operand.strip()} cannot be checked: name the header"
    if name.group(2) is not None:
        return None  # Ours, or not found at all; check_reach judges it.
    header = name.group(1)
    if header in STANDARD_HEADERS or header in C_STANDARD_HEADERS:
        return None
    if header.startswith("ioring/"):
        return f'<{header}>: inside the project write "{header}"'
    if is_test(path):
        return None
    if THIRD_PARTY.match(header):
        return f"<{header}>: the library depends on nothing but the system"
    if path.startswith(SYSTEM_FOLDERS):
        return None  # Of a header, check_reach sees to it that it stays in its folder.
    return f"<{header}> is no standard header: those of the system belong into src/platform and " \
           "src/backend"
