#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# debian_test.sh - the Debian packages, unpacked: the files are there, tools run, a program links.
set -euo pipefail

for command in dpkg-deb dpkg-shlibdeps; do
    command -v "$command" >/dev/null || { echo "there is no $command here"; exit 77; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cpack --config "$IORING_BUILD_DIR/CPackConfig.cmake" -B "$work/packages" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }

expect_in() {
    local package="$1" file
    shift
    local archive=("$work"/packages/"${package}"_*.deb)
    dpkg-deb -c "${archive[0]}" >"$work/contents"
    for file in "$@"; do
        grep -qE "$file\$|$file -> " "$work/contents" || { echo "$package lacks $file"; exit 1; }
    done
    dpkg-deb -x "${archive[0]}" "$work/root"
    dpkg-deb -f "${archive[0]}" Package Version Depends
}
expect_in libioring-c0 'libioring-c\.so\.0'
expect_in libioring-dev 'include/ioring/ring\.hpp' 'include/ioring/ioring\.h' 'libioring\.a' \
    'libioring-c\.so' 'ioringConfig\.cmake' 'pkgconfig/ioring\.pc'
expect_in ioring-tools 'bin/ioring-echo' 'bin/ioring-load' 'bin/ioring-doctor' 'bin/ioring-trace' \
    'man1/ioring-echo\.1' 'man1/ioring-load\.1' 'man1/ioring-doctor\.1' 'man1/ioring-trace\.1'

"$work/root/usr/bin/ioring-echo" --version
libraries="$(dirname "$(find "$work/root" -name libioring.a)")"
project="$IORING_SOURCE_DIR/tests/consumer/project"
"${CC:-cc}" "$project/main.c" -o "$work/in_c" -I"$work/root/usr/include" -L"$libraries" -lioring-c
LD_LIBRARY_PATH="$libraries" "$work/in_c"
echo "a program in C runs on the library package"
