#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wine.sh - runs a Windows program of a build folder: wine.sh PROGRAM.exe [ARGUMENT...]
#
# Each build folder has a Windows of its own, made once in <build>/wine. A program that does not end
# is killed after IORING_WINE_SECONDS (230, less than a batch has; 0: never). Its exit status has
# 8 bits. Standard output has CRLF at the ends of lines, as on Windows. Status 77: there is no Wine.
#
# A signal to this process is the program's: SIGINT is Ctrl+C there (e2e.windows_echo has shown it).
# Wine's server and services live for half a minute longer than the last program; wine.sh --end
# FOLDER ends what of Wine still runs for a build folder.
set -euo pipefail

(($# > 0)) || {
    printf 'usage: wine.sh PROGRAM.exe [ARGUMENT...]\n' >&2
    exit 2
}

wine="$(command -v wine64 || true)"
# Debian's package puts it where no PATH leads.
[[ -n $wine ]] || wine=/usr/lib/wine/wine64
[[ -x $wine ]] || {
    printf 'wine.sh: there is no wine64; install the package wine64\n' >&2
    exit 77
}

server="$(command -v wineserver || true)"
[[ -n $server ]] || server="$(dirname "$wine")/wineserver"

if [[ $1 == --end ]]; then
    [[ -d $2/wine ]] || exit 0
    WINEPREFIX="$(cd "$2" && pwd)/wine" timeout --kill-after=5 30 "$server" -k || true
    exit 0
fi

build="$(cd "$(dirname "$1")" && pwd)"
while [[ ! -e $build/CMakeCache.txt ]]; do
    [[ $build != / ]] || {
        printf 'wine.sh: %s is in no build folder\n' "$1" >&2
        exit 2
    }
    build="$(dirname "$build")"
done

export WINEPREFIX="$build/wine" WINEDEBUG="${WINEDEBUG:--all}"
# No debugger at a crash, no offers to install what nobody needs.
export WINEDLLOVERRIDES='winedbg.exe=d;mscoree=d;mshtml=d'
unset DISPLAY

# Six seconds on an idle machine.
make_prefix() {
    rm -rf "$WINEPREFIX"
    timeout --kill-after=5 300 "$wine" wineboot -i &&
        timeout --kill-after=5 60 "$wine" winecfg -v win10 &&
        touch "$WINEPREFIX/.made"
} </dev/null >/dev/null 2>&1 9>&-

# What Wine starts on its own inherits standard output of the first program, whose reader would wait
# for all of it to end: so the first program is this one. (0: the server was not there.)
start_wine() {
    "$server" -p30 || return 0
    timeout --kill-after=5 60 "$wine" wineboot
} </dev/null >/dev/null 2>&1 9>&-

exec 9>"$build/wine.lock"
flock 9
[[ -e $WINEPREFIX/.made ]] || make_prefix || {
    printf 'wine.sh: Wine cannot make %s\n' "$WINEPREFIX" >&2
    exit 1
}
start_wine || true
exec 9>&-

exec timeout --foreground --kill-after=5 "${IORING_WINE_SECONDS:-230}" "$wine" "$@"
