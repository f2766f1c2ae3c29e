#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_test.sh - builds the C# source and its checks with Mono's compiler and runs them:
# check_test.sh LIBRARY BACKEND
set -euo pipefail

for command in mcs mono; do
    command -v "$command" >/dev/null || { echo "there is no $command here"; exit 77; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ln -s "$1" "$work/libioring-c.so"
mcs -warnaserror -out:"$work/check.exe" "$IORING_SOURCE_DIR/bindings/csharp/IORingGroup.cs" \
    "$IORING_SOURCE_DIR/tests/csharp/Check.cs"
status=0
LD_LIBRARY_PATH="$work" mono "$work/check.exe" "$2" || status=$?
exit "$status"
