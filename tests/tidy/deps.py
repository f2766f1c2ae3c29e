# SPDX-License-Identifier: MIT
# deps.py - what the compiler says a translation unit includes.
import json
import os
import re
import subprocess


class DependencyError(Exception):
    """The compiler or the build tree did not answer."""


def inside(root, path, base):
    """`path`, which may be relative to `base`, as a path from `root`; None when it is outside."""
    full = os.path.realpath(os.path.join(base, path))
    relative = os.path.relpath(full, os.path.realpath(root))
    return None if relative.startswith("..") else relative


def parse_make_rule(text):
    """The prerequisites of a rule that a compiler's -M has written."""
    joined = text.replace("\\\n", " ")
    _, _, prerequisites = joined.partition(": ")
    names = re.split(r"(?<!\\)\s+", prerequisites.strip())
    return [name.replace("\\ ", " ") for name in names if name]


def parse_ninja_deps(text):
    """`ninja -t deps` as a dictionary of object to the files that it was made of."""
    result = {}
    current = None
    for line in text.splitlines():
        header = re.match(r"^(\S.*): #deps \d+, deps mtime \d+ \((VALID|STALE)\)$", line)
        if header:
            current = result.setdefault(header.group(1), [])
        elif current is not None and line.startswith("    "):
            current.append(line.strip())
    return result


def read_build(build):
    """Pairs of (source, prerequisites) of each translation unit in compile_commands.json.

    Prerequisites are as the compiler named them, to be read relative to `build`; None where the
    unit has not been compiled yet.
    """
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    ninja = {}
    if os.path.exists(os.path.join(build, "build.ninja")):
        ninja = parse_ninja_deps(run(["ninja", "-C", build, "-t", "deps"]))
    units = []
    for command in commands:
        output = object_of(command)
        prerequisites = ninja.get(output)
        depfile = os.path.join(command["directory"], output + ".d")
        if prerequisites is None and os.path.exists(depfile):
            with open(depfile, encoding="utf-8") as file:
                prerequisites = parse_make_rule(file.read())
        units.append((command["file"], prerequisites))
    return units


def object_of(command):
    if "output" in command:
        return command["output"]
    match = re.search(r"\s-o\s+(\S+)", command["command"])
    if not match:
        raise DependencyError(f"no object in the command of {command['file']}")
    return match.group(1)


def header_dependencies(compiler, header, include_folders):
    """What a translation unit that includes just `header` reads; -M of a real compiler run."""
    arguments = [compiler, "-std=c++20", "-x", "c++", "-M"]
    arguments += [f"-I{folder}" for folder in include_folders]
    return parse_make_rule(run(arguments + ["-"], f'#include "{header}"\n'))


def run(arguments, text=""):
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DependencyError(f"{' '.join(arguments)} failed:\n{done.stderr or done.stdout}")
    return done.stdout
