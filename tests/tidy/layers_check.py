# SPDX-License-Identifier: MIT
# layers_check.py - holds a tree against the table of layers.py with what the compiler reports.
import concurrent.futures
import os

import deps
import files
import layers

LIBRARY = ("include/", "src/")
CHECKED = LIBRARY + tuple(f"{program}/" for program in layers.PROGRAMS)
CHECKED_TEXT = CHECKED + ("tests/",)


def check_tree(root, build, compiler, jobs=2):
    """All problems of the tree, each a line; an empty list means that the layers hold."""
    sources = [path for path in files.list_files(root) if path.endswith(files.CPP_ENDINGS)]
    problems = check_table(sources)
    system_headers = set()
    for path in sources:
        if path.startswith(CHECKED_TEXT):
            text = files.read_text(root, path)
            problems += layers.check_text(path, text)
            if layers.shows_the_system(path, text):
                system_headers.add(path)
    problems += check_headers(root, sources, system_headers, compiler, jobs)
    problems += check_build(root, build, system_headers)
    return sorted(set(problems))


def check_table(sources):
    return [f"{path}: in no layer: add it to the table in tests/tidy/layers.py"
            for path in sources if path.startswith(LIBRARY) and layers.layer_of(path) is None]


def check_headers(root, sources, system_headers, compiler, jobs):
    """Each header is compiled by itself: a unit's own list does not tell who included what. Those
    of Windows find none of its headers here."""
    headers = [path for path in sources if path.startswith(LIBRARY) and path.endswith(".hpp")
               and not path.endswith("_windows.hpp")]
    folders = [os.path.join(root, "include"), os.path.join(root, "src")]

    def check(header):
        try:
            reached = deps.header_dependencies(compiler, os.path.join(root, header), folders)
        except deps.DependencyError as error:
            return [f"{header}: {error}"]
        paths = [path for name in reached if (path := deps.inside(root, name, root))]
        return layers.check_reach(header, paths, system_headers)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [problem for result in pool.map(check, headers) for problem in result]


def check_build(root, build, system_headers):
    problems = []
    for source, prerequisites in deps.read_build(build):
        path = deps.inside(root, source, build)
        if path is None or not path.startswith(CHECKED):
            continue
        if prerequisites is None:
            problems.append(f"{path}: the build tree does not say what it includes: build first")
            continue
        reached = (deps.inside(root, name, build) for name in prerequisites)
        # Files that the build has generated are nobody's layer.
        build_path = deps.inside(root, build, build)
        paths = [other for other in reached
                 if other and not (build_path and other.startswith(build_path + "/"))]
        problems += layers.check_reach(path, paths, system_headers)
    return problems
