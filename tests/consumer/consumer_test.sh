#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# consumer_test.sh - what is installed serves programs of a user's: CMake's and pkg-config's.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
prefix="$work/prefix"
project="$IORING_SOURCE_DIR/tests/consumer/project"

cmake --install "$IORING_BUILD_DIR" --prefix "$prefix" >"$work/install.log"

build_and_run() {
    local way="$1" program
    shift
    cmake -S "$project" -B "$work/$way" -G Ninja -DCONSUMER_WAY="$way" "$@" >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
    cmake --build "$work/$way" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    for program in "$work/$way"/in_*; do
        "$program" || { echo "$way: $program fails"; exit 1; }
        echo "$way: ${program##*/} runs"
    done
}

build_and_run find_package -DCMAKE_PREFIX_PATH="$prefix"

if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH="$(dirname "$(find "$prefix" -name ioring.pc)")"
    # The files name the place that the build was configured for; this is another.
    flags_of() { pkg-config --define-variable=prefix="$prefix" --cflags --libs "$1"; }
    read -ra flags < <(flags_of ioring-c)
    "${CC:-cc}" "$project/main.c" -o "$work/in_c" "${flags[@]}"
    LD_LIBRARY_PATH="${PKG_CONFIG_PATH%/pkgconfig}" "$work/in_c"
    read -ra flags < <(flags_of ioring)
    "${CXX:-c++}" -std=c++20 "$project/main.cpp" -o "$work/in_cpp" "${flags[@]}"
    "$work/in_cpp"
    echo "pkg-config: both run"
fi

"$prefix/bin/ioring-doctor" --help >/dev/null
echo "the tools are installed"
