#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# single_header_test.sh - the generated header is all that a program needs.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$IORING_SOURCE_DIR"/tests/consumer/single/*.cpp "$work"
python3 -B "$IORING_SOURCE_DIR/packaging/single_header.py" "$IORING_SOURCE_DIR" \
    "$work/ioring_single.hpp"
if grep -n '^ *# *include *"' "$work/ioring_single.hpp"; then
    echo "it includes files that a user does not have"
    exit 1
fi
# Warnings are the user's, so that the header must not have any.
cd "$work"
"${CXX:-c++}" -std=c++20 -Wall -Wextra -Werror -c ioring.cpp &
compiling=$!
"${CXX:-c++}" -std=c++20 -Wall -Wextra -Werror -c main.cpp
wait "$compiling"
# All of the library is in it: it does without what some programs forbid.
"${CXX:-c++}" -std=c++20 -fno-exceptions -fno-rtti -fsyntax-only ioring.cpp
"${CXX:-c++}" main.o ioring.o -pthread -o program
./program
