# SPDX-License-Identifier: MIT
# version_test.py - the version is stated in version.hpp, and what must repeat it agrees.
import json
import os
import re
import sys


def read(*path):
    with open(os.path.join(os.environ["IORING_SOURCE_DIR"], *path), encoding="utf-8") as file:
        return file.read()


def main():
    parts = re.findall(r"unsigned version_\w+ = (\d+)", read("include", "ioring", "version.hpp"))
    version, minor = ".".join(parts), ".".join(parts[:2])
    port = json.loads(read("packaging", "vcpkg", "ports", "ioringgroup", "vcpkg.json"))
    repeated = {
        "vcpkg.json": port["version"],
        "pyproject.toml": re.search(r'^version = "(.*)"$',
                                    read("bindings", "python", "pyproject.toml"), re.M).group(1),
        "CHANGELOG.md": re.search(r"^## .*?(\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.M).group(1),
        "README.md": re.search(r"find_package\(ioring ([\d.]+) ", read("README.md")).group(1),
        "tests/consumer/project/CMakeLists.txt": re.search(
            r"find_package\(ioring ([\d.]+) ",
            read("tests", "consumer", "project", "CMakeLists.txt")).group(1),
        "src/capi/exports.map": re.search(r"^IORING_(\d+) {", read("src", "capi", "exports.map"),
                                          re.M).group(1),
    }
    wrong = {where: stated for where, stated in repeated.items()
             if stated not in (version, minor, parts[0])}
    if len(parts) != 3 or wrong:
        sys.exit(f"version.hpp states {version}, but these do not: {wrong}")


if __name__ == "__main__":
    main()
