# SPDX-License-Identifier: MIT
# layers_self_test.py - the layer check reports each kind of wrong include in a made-up tree.
#
# Each test starts from a small good tree, does one thing wrong and expects the report of just that.
# The trees are really compiled, by ninja, so that the compiler's own dependency output is read.
import json
import os
import subprocess
import tempfile
import unittest

import deps
import layers_check

COMPILER = os.environ["IORING_COMPILER"]
GOOD_TREE = {
    "include/ioring/sqe.hpp": "#pragma once\n#include <cstdint>\n",
    "include/ioring/ring.hpp": '#pragma once\n#include "ioring/sqe.hpp"\n',
    "src/platform/clock.hpp": "#pragma once\n#include <cstddef>\n",
    "src/platform/clock_posix.cpp":
        '#include "platform/clock.hpp"\n#include <time.h>\n#ifdef __linux__\n#endif\n',
    "src/backend/backend.hpp": '#pragma once\n#include "ioring/sqe.hpp"\n',
    "src/backend/null/null.hpp": '#pragma once\n#include "backend/backend.hpp"\n',
    "src/backend/null/null.cpp": '#include "backend/null/null.hpp"\n#include <sys/socket.h>\n',
    "src/backend/uring/uring.hpp": '#pragma once\n#include "backend/backend.hpp"\n',
    "src/backend/uring/uring.cpp": '#include "uring.hpp"\n#include "platform/clock.hpp"\n',
    "src/backend/registry.cpp":
        '#include "backend/null/null.hpp"\n#include "backend/uring/uring.hpp"\n',
    "src/ring/ring.cpp": '#include "ioring/ring.hpp"\n#include "backend/backend.hpp"\n',
    "src/ring/ring_test.cpp": '#include "ioring/ring.hpp"\n#include <sys/socket.h>\n',
    "tools/common/say.hpp": "#pragma once\n",
    "tools/echo/main.cpp": '#include "ioring/ring.hpp"\n#include "common/say.hpp"\n',
    "tools/load/load.hpp": "#pragma once\n",
}


def write_tree(root, tree):
    for path, text in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            # The name makes the files differ: g++ takes files of equal text and time for one file
            # that `#pragma once` then leaves out.
            file.write(f"{text}// {path}\n")


def build_tree(root, tree):
    """Compiles each .cpp with ninja as CMake would, and leaves a compile_commands.json."""
    build = os.path.join(root, "build", "made-up")
    os.makedirs(build)
    flags = f"-std=c++20 -I{root}/include -I{root}/src -I{root}/tools -fsyntax-only"
    lines = ["rule cxx", "  deps = gcc", "  depfile = $out.d",
             f"  command = {COMPILER} {flags} -MD -MT $out -MF $out.d $in && touch $out"]
    commands = []
    for path in sorted(path for path in tree if path.endswith(".cpp")):
        output = path.replace("/", "_") + ".o"
        lines.append(f"build {output}: cxx {root}/{path}")
        commands.append({"directory": build, "file": f"{root}/{path}",
                         "command": f"{COMPILER} -o {output} -c {root}/{path}"})
    with open(os.path.join(build, "build.ninja"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(commands, file)
    subprocess.run(["ninja", "-C", build], check=True, stdout=subprocess.DEVNULL)
    return build


def report(changes, build=True):
    """The problems of the good tree with `changes`, which replace or append to its files."""
    tree = dict(GOOD_TREE)
    for path, text in changes.items():
        tree[path] = tree.get(path, "") + text
    with tempfile.TemporaryDirectory() as root:
        root = os.path.realpath(root)
        write_tree(root, tree)
        folder = build_tree(root, tree if build else {})
        return layers_check.check_tree(root, folder, COMPILER)


class LayersSelfTest(unittest.TestCase):
    def expect(self, changes, *expected):
        problems = report(changes)
        for part in expected:
            self.assertTrue(any(part in problem for problem in problems), f"{part!r} in {problems}")
        self.assertTrue(all(any(part in problem for part in expected) for problem in problems),
                        f"only {expected} in {problems}")

    def test_a_good_tree_has_no_problems(self):
        self.assertEqual([], report({}))

    def test_upward_include_of_a_source(self):
        self.expect({"src/platform/clock_posix.cpp": '#include "ioring/ring.hpp"\n'},
                    "src/platform/clock_posix.cpp: reaches include/ioring/ring.hpp: upward, "
                    "from layer 1 to layer 3")

    def test_upward_include_of_an_internal_header_that_no_source_of_its_layer_uses(self):
        self.expect({"src/platform/extra.hpp": '#pragma once\n#include "backend/backend.hpp"\n'},
                    "src/platform/extra.hpp: reaches src/backend/backend.hpp: upward")

    def test_upward_include_among_the_public_headers(self):
        self.expect({"include/ioring/endpoint.hpp": '#pragma once\n#include "ioring/ring.hpp"\n'},
                    "include/ioring/endpoint.hpp: reaches include/ioring/ring.hpp: upward")

    def test_public_header_that_includes_an_internal_one(self):
        self.expect({"include/ioring/ring.hpp": '#include "backend/backend.hpp"\n'},
                    "reaches src/backend/backend.hpp: a public header includes public",
                    # Who sees the public header sees the mistake too, by compiler output.
                    "tools/echo/main.cpp: reaches src/backend/backend.hpp")

    def test_public_header_that_includes_a_header_of_the_system(self):
        self.expect({"include/ioring/sqe.hpp": "#include <sys/socket.h>\n"},
                    "include/ioring/sqe.hpp:3: <sys/socket.h> is no standard header")

    def test_header_of_the_system_behind_a_condition_that_is_false_here(self):
        self.expect({"include/ioring/sqe.hpp": "#ifdef NEVER\n# include <winsock2.h>\n#endif\n"},
                    "include/ioring/sqe.hpp:4: <winsock2.h> is no standard header")

    def test_header_of_the_system_in_the_ring(self):
        self.expect({"src/ring/ring.cpp": "#include <unistd.h>\n"},
                    "src/ring/ring.cpp:3: <unistd.h> is no standard header")

    def test_header_of_the_system_in_a_header_that_only_its_folder_uses(self):
        self.assertEqual([], report({
            "src/platform/own.hpp": "#pragma once\n#include <unistd.h>\n",
            "src/platform/clock_posix.cpp": '#include "platform/own.hpp"\n'}))

    def test_header_of_the_system_in_a_header_of_the_platform_that_others_use(self):
        self.expect({"src/platform/clock.hpp": "#include <unistd.h>\n"},
                    "src/backend/uring/uring.cpp: reaches src/platform/clock.hpp: it includes "
                    "headers of the system")

    def test_third_party_header_in_a_backend(self):
        self.expect({"src/backend/uring/uring.cpp": "#if 0\n#include <liburing.h>\n#endif\n"},
                    "<liburing.h>: the library depends on nothing but the system")

    def test_include_that_names_no_header(self):
        self.expect({"src/ring/ring.cpp": "#ifdef NEVER\n#include CHOSEN\n#endif\n"},
                    "src/ring/ring.cpp:4: #include CHOSEN cannot be checked")

    def test_backend_that_includes_another(self):
        self.expect({"src/backend/uring/uring.cpp": '#include "backend/null/null.hpp"\n'},
                    "src/backend/uring/uring.cpp: reaches src/backend/null/null.hpp: only the "
                    "registry's .cpp and backend null itself")

    def test_header_of_the_contract_that_includes_a_backend(self):
        self.expect({"src/backend/extra.hpp": '#pragma once\n#include "backend/null/null.hpp"\n'},
                    "src/backend/extra.hpp: reaches src/backend/null/null.hpp: only the registry")

    def test_ring_that_includes_a_backend(self):
        self.expect({"src/ring/ring.cpp": '#include "backend/null/null.hpp"\n'},
                    "src/ring/ring.cpp: reaches src/backend/null/null.hpp: only the registry")

    def test_test_of_the_ring_that_includes_a_backend(self):
        self.assertEqual([], report({
            "src/ring/ring_test.cpp": '#include "backend/null/null.hpp"\n'}))

    def test_what_tests_share_includes_what_tests_may(self):
        self.assertEqual([], report({
            "src/ring/ring_test_support.hpp": "#pragma once\n#include <sys/socket.h>\n",
            "src/ring/ring_test.cpp": '#include "ring/ring_test_support.hpp"\n'}))

    def test_source_that_includes_what_tests_share(self):
        self.expect({"src/ring/ring_test_support.hpp": "#pragma once\n",
                     "src/ring/ring.cpp": '#include "ring_test_support.hpp"\n'},
                    "src/ring/ring.cpp: reaches src/ring/ring_test_support.hpp: only tests see")

    def test_header_that_stands_in_for_one_of_the_system(self):
        stand_in = "tests/kqueue_shim/include/sys/event.h"
        include = f'#include "../../../{stand_in}"\n'
        self.assertEqual([], report({stand_in: "#pragma once\n",
                                     "src/backend/null/null.cpp": include}))
        self.expect({stand_in: "#pragma once\n", "src/ring/x/x.cpp": include},
                    f"src/ring/x/x.cpp: reaches {stand_in}: ")

    def test_question_about_the_system_outside_of_its_folders(self):
        self.expect({"src/ring/ring.cpp": "#if 1 && defined(_WIN32)\n#endif\n",
                     "include/ioring/sqe.hpp": "#ifdef __linux__\n#endif\n",
                     "tests/x_test.cpp": "#ifndef __APPLE__\n#endif\n"},
                    "src/ring/ring.cpp:3: asks for _WIN32",
                    "include/ioring/sqe.hpp:3: asks for __linux__",
                    "tests/x_test.cpp:1: asks for __APPLE__")

    def test_tool_that_includes_an_internal_header(self):
        self.expect({"tools/echo/main.cpp": '#include "platform/clock.hpp"\n'},
                    "tools/echo/main.cpp: reaches src/platform/clock.hpp: a program sees")

    def test_tool_that_includes_another_tool(self):
        self.expect({"tools/echo/main.cpp": '#include "load/load.hpp"\n'},
                    "tools/echo/main.cpp: reaches tools/load/load.hpp: a program sees")

    def test_file_that_no_layer_knows(self):
        self.expect({"include/ioring/surprise.hpp": "#pragma once\n",
                     "src/surprise/x.hpp": "#pragma once\n"},
                    "include/ioring/surprise.hpp: in no layer", "src/surprise/x.hpp: in no layer")

    def test_header_that_does_not_compile_alone(self):
        self.expect({"include/ioring/error.hpp": '#pragma once\n#include "ioring/missing.hpp"\n'},
                    "include/ioring/error.hpp: ")

    def test_unit_that_has_not_been_compiled(self):
        tree = dict(GOOD_TREE)
        with tempfile.TemporaryDirectory() as root:
            root = os.path.realpath(root)
            write_tree(root, tree)
            build = build_tree(root, tree)
            with open(os.path.join(build, "compile_commands.json"), "r+", encoding="utf-8") as file:
                commands = json.load(file)
                commands.append({"directory": build, "file": f"{root}/src/ring/new.cpp",
                                 "command": f"{COMPILER} -o new.o -c {root}/src/ring/new.cpp"})
                file.seek(0)
                json.dump(commands, file)
            problems = layers_check.check_tree(root, build, COMPILER)
        self.assertEqual(1, len(problems), problems)
        self.assertIn("src/ring/new.cpp: the build tree does not say", problems[0])


class DepsSelfTest(unittest.TestCase):
    def test_make_rule_with_continuations_and_spaces(self):
        rule = "a.o: b.cpp \\\n  include/c.hpp \\\n with\\ space.hpp\n"
        self.assertEqual(["b.cpp", "include/c.hpp", "with space.hpp"], deps.parse_make_rule(rule))

    def test_ninja_output(self):
        text = ("x.o: #deps 2, deps mtime 12 (VALID)\n    ../a.cpp\n    ../a.hpp\n\n"
                "y.o: deps not found\n\nz.o: #deps 1, deps mtime 3 (STALE)\n    z.cpp\n")
        self.assertEqual({"x.o": ["../a.cpp", "../a.hpp"], "z.o": ["z.cpp"]},
                         deps.parse_ninja_deps(text))


if __name__ == "__main__":
    unittest.main()
