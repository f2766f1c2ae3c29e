#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# chroot_test.sh - the Debian packages need what they say they need: they run in a root directory
# that holds them and the packages they depend on, and nothing else.
#
# The files of those packages are this system's own, so that nothing has to be fetched. With
# --debootstrap, as `./dev check --all` runs it, the root is a new Debian, and apt installs.
set -euo pipefail

is_new=
[[ ${1:-} != --debootstrap ]] || is_new=yes

for command in dpkg-deb dpkg-shlibdeps chroot; do
    command -v "$command" >/dev/null || { echo "there is no $command here"; exit 77; }
done
enter=(chroot)
if [[ $(id -u) != 0 ]]; then
    enter=(unshare --map-root-user chroot)
fi
work="$(mktemp -d)"
server=
finish() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
root="$work/root"
cpack --config "$IORING_BUILD_DIR/CPackConfig.cmake" -B "$work/packages" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
packages=("$work"/packages/*.deb)
((${#packages[@]} == 3))

install_in_new_debian() {
    local suite
    suite="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
    debootstrap --variant=minbase "$suite" "$root" >"$work/log" || { tail "$work/log"; return 1; }
    mkdir -p "$root/packages"
    cp "${packages[@]}" "$root/packages"
    "${enter[@]}" "$root" sh -c 'apt-get install -y /packages/*.deb' >"$work/log" 2>&1 ||
        { cat "$work/log"; return 1; }
}

# "libc6 (>= 2.34), libstdc++6 | other" -> libc6 libstdc++6
names_of() { tr ',' '\n' | sed -E 's/^ +//; s/[ (:|].*$//; /^$/d'; }

install_beside_what_they_need() {
    # As Debian's own: one tree, under the old names too.
    mkdir -p "$root"/usr/{bin,lib,lib64,sbin} "$root/tmp"
    mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
    for name in bin lib lib64 sbin; do ln -s "usr/$name" "$root/$name"; done
    : >"$root/var/lib/dpkg/status"

    local -A wanted=()
    local queue=() name package
    for package in "${packages[@]}"; do
        mapfile -t -O "${#queue[@]}" queue < <(
            dpkg-deb -f "$package" Depends Pre-Depends | sed -E 's/^[A-Za-z-]+: //; s/, */,/g' |
                names_of)
    done
    while ((${#queue[@]})); do
        name="${queue[0]}"
        queue=("${queue[@]:1}")
        [[ -z ${wanted[$name]:-} && $name != libioring-c0 ]] || continue
        dpkg-query -W "$name" >/dev/null || { echo "$name is not installed here"; exit 1; }
        wanted[$name]=yes
        # shellcheck disable=SC2016  # dpkg-query's own variables.
        mapfile -t -O "${#queue[@]}" queue < <(
            dpkg-query -W -f '${Depends},${Pre-Depends}\n' "$name" | sed -E 's/, */,/g' | names_of)
    done
    echo "beside them: ${!wanted[*]}"
    dpkg-query -L "${!wanted[@]}" | sort -u | while IFS= read -r file; do
        [[ ! -f $file ]] || printf '%s\n' "$file"
    done | tar -C / --absolute-names --transform 's,^/(bin|lib|lib64|sbin)/,/usr/\1/,xS' \
        --transform 's,^/,./,S' -cf - -T - | tar -C "$root" -xf -
    [[ ! -e $root/usr/lib/python3 && ! -e $root/usr/bin/cc ]]

    dpkg --root="$root" --force-depends --force-script-chrootless --log=/dev/null \
        -i "${packages[@]}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}

if [[ -n $is_new ]]; then
    install_in_new_debian
else
    install_beside_what_they_need
fi

if ! "${enter[@]}" "$root" /usr/bin/ioring-echo --version; then
    [[ $(id -u) == 0 ]] && exit 1
    echo "chroot is not allowed here"
    exit 77
fi

# A server and its load, both in there; the network is this system's.
coproc echoing { exec "${enter[@]}" "$root" /usr/bin/ioring-echo --host 127.0.0.1 --port 0; }
# shellcheck disable=SC2154  # coproc sets it.
server=$echoing_PID
IFS= read -t 60 -r line <&"${echoing[0]}"
echo "$line"
port="$(sed -nE 's/.*127\.0\.0\.1:([0-9]+).*/\1/p' <<<"$line")"
"${enter[@]}" "$root" /usr/bin/ioring-load --port "$port" --connections 4 --messages 2000 --quiet

# A program in C, built with what the development package brings.
project="$IORING_SOURCE_DIR/tests/consumer/project"
libraries="$(dirname "$(find "$root/usr" -name libioring.a)")"
"${CC:-cc}" "$project/main.c" -o "$root/tmp/in_c" -I"$root/usr/include" -L"$libraries" -lioring-c
"${enter[@]}" "$root" /tmp/in_c
echo "a program in C runs in it"
