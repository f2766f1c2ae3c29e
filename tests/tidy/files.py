# SPDX-License-Identifier: MIT
# files.py - the files of the project, as git knows them.
import os
import subprocess

CPP_ENDINGS = (".hpp", ".cpp", ".h", ".c")


def list_files(root):
    """Paths from `root` of all files that are in git or could be added; build results are neither.

    Outside of a git work tree (an unpacked archive) everything but build/ and hidden folders.
    """
    done = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others",
                           "--exclude-standard", "."], capture_output=True, check=False)
    if done.returncode == 0 and os.path.exists(os.path.join(root, ".git")):
        names = os.fsdecode(done.stdout).split("\0")
    else:
        names = walk(root)
    # A file that was deleted but not yet committed is still listed by git.
    return sorted(name for name in set(names) if name and os.path.isfile(os.path.join(root, name)))


def walk(root):
    for folder, folders, names in os.walk(root):
        here = os.path.relpath(folder, root)
        folders[:] = [name for name in folders if name not in (".git", "build", "__pycache__")]
        for name in names:
            yield os.path.normpath(os.path.join(here, name))


def read_text(root, path):
    with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
        return file.read()
