#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# source_test.sh - programs that build the library along: by add_subdirectory and by FetchContent.
#
# The compiler's calls are those of this build, so that ccache has all objects. Where that was built
# without ccache they would take minutes and prove nothing more: the programs are only configured.
set -euo pipefail

project="$IORING_SOURCE_DIR/tests/consumer/project"
# Beside this build, so that relative paths are the same.
folder="$IORING_BUILD_DIR-consumer"
trap 'rm -rf "$folder" "$folder.log"' EXIT

cached_value() { sed -n "s/^$1:[A-Z]*=//p" "$IORING_BUILD_DIR/CMakeCache.txt"; }

type="$(cached_value CMAKE_BUILD_TYPE)"
same=()
for name in CMAKE_BUILD_TYPE CMAKE_CXX_COMPILER CMAKE_CXX_FLAGS "CMAKE_CXX_FLAGS_${type^^}" \
    IORING_WARNINGS_AS_ERRORS IORING_HARDENING; do
    same+=("-D$name=$(cached_value "$name")")
done
ccache="$(cached_value IORING_CCACHE)"
if [[ ! -x $ccache ]]; then
    ccache=
else
    launcher="$(command -v cmake);-E;env;CCACHE_BASEDIR=$IORING_SOURCE_DIR;CCACHE_NOHASHDIR=1"
    same+=("-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher;$ccache")
fi

run() { "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }; }

build_and_run() {
    local way="$1" program programs=0
    shift
    rm -rf "$folder"
    run cmake -S "$project" -B "$folder" -G Ninja -DCONSUMER_WAY="$way" "${same[@]}" "$@"
    if [[ -z $ccache ]]; then
        echo "$way: configured only"
        return
    fi
    run cmake --build "$folder" --target in_cpp "${extra_targets[@]}"
    for program in "$folder"/in_*; do
        "$program" || { echo "$way: $program fails"; exit 1; }
        echo "$way: ${program##*/} runs"
        programs=$((programs + 1))
    done
    ((programs == 1 + ${#extra_targets[@]}))
}

extra_targets=(in_c)
build_and_run subdirectory -DIORING_SOURCE_DIR="$IORING_SOURCE_DIR" -DIORING_BUILD_SHARED=ON
extra_targets=()
build_and_run fetch_content -DFETCHCONTENT_SOURCE_DIR_IORING="$IORING_SOURCE_DIR"
