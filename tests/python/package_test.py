#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# package_test.py - pip makes an installable package of bindings/python, without a network.
"""Usage: package_test.py LIBRARY"""
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
LIBRARY = os.path.abspath(sys.argv[1])
SOURCE = os.path.join(os.environ["IORING_SOURCE_DIR"], "bindings", "python")
USE = """
import ctypes, importlib.metadata, os, ioring
with ioring.Ring(backend="null") as ring:
    ring.nop(user_data=7)
    ring.submit_and_wait()
    assert [done.user_data for done in ring.completions()] == [7]
print(ioring.__file__)
print(importlib.metadata.version("ioringgroup"))
version = ctypes.CDLL(os.environ["IORING_LIBRARY"]).ioring_version_string
version.restype = ctypes.c_char_p
print(version().decode())
"""


def interpreter():
    """One that has what makes packages; pip would otherwise fetch it."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(candidate) and subprocess.run(
                [candidate, "-c", "import setuptools, pip, wheel"], stderr=subprocess.DEVNULL,
                check=False).returncode == 0:
            return candidate
    return None


def main():
    python = interpreter()
    if python is None:
        print("no Python here has pip, setuptools and wheel")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        # A copy, for setuptools writes beside its sources.
        copied, installed = os.path.join(folder, "source"), os.path.join(folder, "installed")
        shutil.copytree(SOURCE, copied)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                        "--no-build-isolation", "--no-cache-dir", "--disable-pip-version-check",
                        "--target", installed, copied], check=True, timeout=100,
                       env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
        assert sorted(os.listdir(os.path.join(installed, "ioring")))[0] == "__init__.py"
        assert not os.path.exists(os.path.join(installed, "examples"))
        used = subprocess.run([python, "-B", "-c", USE], check=True, timeout=100, text=True,
                              stdout=subprocess.PIPE, cwd=folder,
                              env={**os.environ, "IORING_LIBRARY": LIBRARY,
                                   "PYTHONPATH": installed})
    where, package, library = used.stdout.splitlines()
    assert where.startswith(installed), where
    assert package == library, used.stdout
    return 0


if __name__ == "__main__":
    sys.exit(main())
