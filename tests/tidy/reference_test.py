# SPDX-License-Identifier: MIT
# reference_test.py - every public name has documentation, and Doxygen has nothing to say about it.
#
# First the check itself, on a header that must fail and on one that must not.
import os
import shutil
import sys
import tempfile

import reference

GOOD = """// SPDX-License-Identifier: MIT
// good.hpp - a header with documentation for all.
#pragma once

// Words for a person@host about <this>, 100% of it: see `good::at` and ::good.
//
// Errors: one     when it rains, or
//                 at night
struct good {
    int at = 0;  // Where.
    // Either way.
    good* before();
    good* before(int count);

    // `other` is then none.
    good(good&& other);
    good& operator=(good&& other);

    // How it went.
    enum class outcome {
        well,  // As expected.
    };

private:
    int hidden_ = 0;
};
"""
# What else makes of it a header that must be refused, by the name that is then found.
BAD = {
    "late": ("private:", "    int late = 0;\n\nprivate:"),
    "well": ("  // As expected.", ""),
    "before": ("    // Either way.\n", ""),
}


def complaints(root, headers):
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "reference")
        warnings = reference.run_doxygen(root, headers, output, "xml")
        seen, names = reference.undocumented(output)
        return seen, [*warnings, *reference.stray_marks(output),
                      *(f"{name}: not a word about it" for name in names)]


def check_the_check(root):
    headers = {"good.hpp": GOOD}
    for name, (old, new) in BAD.items():
        headers[f"{name}.hpp"] = GOOD.replace(old, new).replace("good", f"bad_{name}")
    found = complaints(root, headers)[1]
    for name in BAD:
        if not any(f"bad_{name}::" in line and name in line for line in found):
            sys.exit(f"a header in which `{name}` has no documentation was accepted: {found}")
    wrong = [line for line in found if "bad_" not in line]
    if wrong:
        sys.exit(f"a good header was refused: {wrong}")


def main():
    if shutil.which("doxygen") is None:
        print("there is no doxygen here")
        sys.exit(77)
    root = os.environ["IORING_SOURCE_DIR"]
    check_the_check(root)
    seen, found = complaints(root, reference.public_headers(root))
    for line in found:
        print(line)
    if found or seen < 500:
        sys.exit(f"{len(found)} complaints about {seen} names")
    print(f"{seen} names, each documented")


if __name__ == "__main__":
    main()
