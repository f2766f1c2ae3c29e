#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# abi.py - what a program that was compiled against ioring.h relies on, as text to compare.
"""Usage: abi.py HEADER_DIR [--compiler CC]

Prints functions as they are declared, constants, and structs as the compiler lays them out: one
line a fact, which names what it is about.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

STRUCT = re.compile(r"^typedef struct (\w+) \{\n(.*?)^\} \1;", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*([\w ]+?[\s*]+)(\w+)((?:\[\d+\])?);")
ENUMERATOR = re.compile(r"\b(IOR_\w+) =")
MACRO = re.compile(r"^#define (IORING_[A-Z_]+) \(", re.MULTILINE)
HANDLE = re.compile(r"^typedef (struct \w+|u?int\d+_t) (\w+);", re.MULTILINE)
FUNCTION = re.compile(r"\bABI_(?:EXPORT|INLINE)\b\s+([^;{]+)")


def type_of(text):
    """"const char *host" -> "const char*"."""
    text = re.sub(r"\s+", " ", text).strip()
    if " " in text or "*" in text:
        text = re.sub(r"(?<=[ *])(?!const\b)\w+$", "", text) if text[-1] != "*" else text
    return re.sub(r"\s*\*\s*", "*", text).strip()


def functions(compiler, header_dir):
    text = '#define IORING_API ABI_EXPORT\n#define IORING_INLINE ABI_INLINE\n' \
           '#include "ioring/ioring.h"\n'
    done = subprocess.run([compiler, "-E", "-P", f"-I{header_dir}", "-x", "c", "-"], input=text,
                          capture_output=True, text=True, check=True)
    for declaration in FUNCTION.findall(done.stdout):
        result, name, parameters = re.match(r"(.*?)(\w+)\s*\((.*)\)$", declaration.strip(),
                                            re.DOTALL).groups()
        kinds = [type_of(parameter) for parameter in parameters.split(",")]
        yield f"function {name}({', '.join(kinds)}): {type_of(result)}"


def layouts(text):
    """Statements of a C program that prints what only the compiler knows."""
    for name, body in STRUCT.findall(text):
        yield f'printf("struct {name}: %zu bytes, aligned to %zu\\n", sizeof({name}), ' \
              f'_Alignof({name}));'
        for line in body.splitlines():
            field = FIELD.match(line)
            if field:
                kind = re.sub(r"\s+", " ", field.group(1)).strip()
                member = field.group(2)
                yield f'printf("field {name}.{member}: {kind}{field.group(3)} at %zu, %zu bytes' \
                      f'\\n", offsetof({name}, {member}), sizeof((({name}*)0)->{member}));'
    for name in ENUMERATOR.findall(text):
        yield f'printf("constant {name}: %lld\\n", (long long){name});'
    for name in MACRO.findall(text):
        yield f'printf("constant {name}: %lld, %zu bytes\\n", (long long){name}, sizeof({name}));'
    for kind, name in HANDLE.findall(text):
        yield f'printf("type {name}: {kind}\\n");'


def dump(header_dir, compiler):
    """The facts, sorted."""
    with open(os.path.join(header_dir, "ioring", "ioring.h"), encoding="utf-8") as file:
        text = re.sub(r"//.*", "", file.read())
    program = "#include <stddef.h>\n#include <stdio.h>\n#include \"ioring/ioring.h\"\n" \
              "int main(void) {\n" + "\n".join(layouts(text)) + "\nreturn 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        source, built = os.path.join(folder, "abi.c"), os.path.join(folder, "abi")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program)
        subprocess.run([compiler, "-std=c11", f"-I{header_dir}", source, "-o", built], check=True)
        facts = subprocess.run([built], check=True, capture_output=True, text=True).stdout
    return sorted([*facts.splitlines(), *functions(compiler, header_dir)])


def breaks(before, now):
    """The facts of `before` that programs rely on and that are so no more.

    A struct that begins with its own size may grow: the library looks at as much of it as the
    program has. All else may only be added to.
    """
    def may_grow(name):
        return f"field {name}.size: uint32_t at 0, 4 bytes" in before

    missing = []
    for fact in before:
        if fact in now:
            continue
        grown = re.match(r"struct (\w+): (\d+) bytes, (.*)$", fact)
        if grown and may_grow(grown.group(1)):
            same = [re.match(rf"struct {grown.group(1)}: (\d+) bytes, (.*)$", line) for line in now]
            if any(m and int(m.group(1)) > int(grown.group(2)) and m.group(2) == grown.group(3)
                   for m in same):
                continue
        missing.append(fact)
    return missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("header_dir")
    parser.add_argument("--compiler", default="cc")
    arguments = parser.parse_args()
    sys.stdout.write("\n".join(dump(arguments.header_dir, arguments.compiler)) + "\n")


if __name__ == "__main__":
    main()
