#!/usr/bin/env bash
# Tries the README's commands on a bare Debian 12: python3, make and git, nothing else. As root and as an ordinary user,
# in a folder with a space in its name. Needs root and debootstrap; changes nothing outside the folder that it makes.
#
#   tests/bare/debian.sh                             make run ARGS=--check, then make test, for both users
#   tests/bare/debian.sh "make test T=tests/unit"    these commands instead, each one argument
#   USERS=dev PORT=4570 tests/bare/debian.sh …       only for the ordinary user, on another port
#
# What is tried is the latest commit. The bare system is kept in $BASE and used again.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
base=${BASE:-/var/tmp/packyard-bookworm.tar}
users=${USERS:-root dev}
if (($# == 0)); then set -- "make run ARGS=--check" "make test"; fi
if ((EUID)); then echo "this needs root" >&2; exit 1; fi
command -v debootstrap >/dev/null || { echo "this needs debootstrap: apt-get install debootstrap" >&2; exit 1; }

scratch=$(mktemp -d /var/tmp/packyard-bare.XXXXXX)
trap 'rm -rf --one-file-system "$scratch"' EXIT

if [[ ! -e $base ]]; then
    echo "== making a bare Debian 12 in $base"
    debootstrap --variant=minbase --include=ca-certificates,git,make,python3 bookworm "$scratch/base" \
        "${MIRROR:-http://deb.debian.org/debian}" >"$scratch/log" 2>&1 || { tail "$scratch/log"; exit 1; }
    tar -C "$scratch/base" -cf "$base.unfinished" . && mv "$base.unfinished" "$base"
    rm -rf "$scratch/base"
fi

# The way to packages is the machine's own: sources and settings of apt, pip's and npm's, certificates, proxies.
settings=$(env | grep -E '^(PIP_CERT|PIP_INDEX_URL|UV_|SSL_CERT_FILE|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|PORT|PYTEST_ADDOPTS)' | sed 's/^/export /' || true)

for user in $users; do
    root=$scratch/$user
    mkdir "$root"
    tar -C "$root" -xf "$base"
    rm -f "$root"/etc/apt/sources.list
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d/99* /etc/pip.conf /etc/npmrc /etc/resolv.conf /etc/hosts; do
        if [[ -e $file ]]; then cp "$file" "$root$file"; fi
    done
    cp --remove-destination -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    [[ $user == root ]] || chroot "$root" useradd --create-home --shell /bin/bash "$user"
    git -C "$here" bundle create -q "$root/tmp/packyard.bundle" HEAD
    chmod a+r "$root/tmp/packyard.bundle"
    {
        echo "set -e"
        echo "$settings"
        echo 'mkdir -p "$HOME/my work" && cd "$HOME/my work"'
        echo 'git clone -q -c advice.detachedHead=false /tmp/packyard.bundle packyard && cd packyard'
        for command; do
            printf 'echo "== %s: %s"; started=$(date +%%s)\n' "$user" "$command"
            printf '%s\n' "$command"
            printf 'echo "== %s: took $(($(date +%%s) - started)) s"\n' "$user"
        done
        echo 'echo "== left in the clone, beside what git ignores:"; git status --short'
    } >"$root/tmp/commands"
    # Processes and mounts end with the shell.
    unshare --mount --pid --fork bash -euc '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" su --login "$2" -c "bash /tmp/commands"
    ' - "$root" "$user"
    rm -rf --one-file-system "$root"
done
