#!/usr/bin/env bash
# Runs the sample events and the API by the real SAM CLI, on a Debian or Ubuntu that has no Docker and cannot pull images.
#
# It needs root. podman stands in for Docker. Under the name that SAM asks for, it makes a base image of its own: a Debian
# that has Python 3.13, AWS's runtime interface client, and nothing else of AWS's image. What that proves and what it does
# not is in docs/sam-local.md. All that it makes lies in FOLDER; a second run uses the image again.
#
#   local/podman_recipe.sh [FOLDER]        FOLDER: .local/podman;  PORT: the stack's, 4680;  API_PORT: 3080
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-.local/podman}"
folder=$(realpath "${1:-.local/podman}")
port=${PORT:-4680}
api=http://127.0.0.1:${API_PORT:-3080}
case $(dpkg --print-architecture) in
    amd64) lambda=x86_64 machine=x86_64 ;;
    arm64) lambda=arm64 machine=aarch64 ;;
    *) echo "Lambda has no such processor" >&2; exit 1 ;;
esac
image=public.ecr.aws/lambda/python:3.13-$lambda

children=()
finish() {
    # The containers of `start-api`: a storage of our own has no others, and before there is one there are none of ours.
    if [[ ${CONTAINERS_STORAGE_CONF:-} == "$folder/storage.conf" ]]; then podman rm --all --force >/dev/null 2>&1 || true; fi
    for child in "${children[@]}"; do kill -TERM -- "-$child" 2>/dev/null || true; done
    wait
}
trap finish EXIT
background() { setsid "$@" & children+=($!); }

echo "== programs"
needed=(podman runc debootstrap curl)
if ! dpkg --status "${needed[@]}" >/dev/null 2>&1; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${needed[@]}" netavark iptables
fi
python3 -m local.setup invoke
podman --version
.local/tools/sam/bin/sam --version

# Without systemd there is no cgroup manager but cgroupfs; where limits may not be raised, podman's defaults are refused.
cat >"$folder/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
# vfs works where overlayfs does not, but copies the whole image for each container.
driver=overlay
grep -qw overlay /proc/filesystems || driver=vfs
cat >"$folder/storage.conf" <<END
[storage]
driver = "$driver"
graphroot = "$folder/storage"
runroot = "$folder/run"
END
export CONTAINERS_CONF=$folder/containers.conf CONTAINERS_STORAGE_CONF=$folder/storage.conf

if ! podman image exists "$image"; then
    echo "== base image $image"
    root=$folder/root
    rm -rf "$root"
    debootstrap --variant=minbase --include=python3 trixie "$root" >"$folder/debootstrap.log"
    rm -rf "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/usr/share/{doc,locale,man}
    mkdir -p "$root"/var/{task,rapid,runtime}
    .venv/bin/uv pip install -q --require-hashes --only-binary :all: --target "$root/var/runtime" \
        --python-version 3.13 --python-platform "$machine-manylinux_2_28" -r local/requirements-runtime.txt
    # What AWS's own image does at this place: layers after the function, and the wrapper script around the runtime.
    cat >"$root/var/runtime/bootstrap" <<'END'
#!/bin/sh
export PYTHONPATH="/var/task:/opt/python:/var/runtime"
cd /var/task || exit 1
exec ${AWS_LAMBDA_EXEC_WRAPPER:+"$AWS_LAMBDA_EXEC_WRAPPER"} /usr/bin/python3 -m awslambdaric "$_HANDLER"
END
    chmod 755 "$root/var/runtime/bootstrap"
    tar -C "$root" -c . | podman import -q --change 'ENV LAMBDA_TASK_ROOT=/var/task' \
        --change 'ENV LAMBDA_RUNTIME_DIR=/var/runtime' --change 'ENV LANG=C.UTF-8' --change 'WORKDIR /var/task' - "$image"
    rm -rf "$root"
fi

echo "== stack"
background make run PORT="$port" >"$folder/stack.log" 2>&1
until grep -q 'ready after' "$folder/stack.log"; do
    kill -0 "${children[-1]}" 2>/dev/null || { cat "$folder/stack.log" >&2; exit 1; }
    sleep 1
done
background podman system service --time=0 "unix://$folder/podman.sock"
export DOCKER_HOST=unix://$folder/podman.sock
until curl -s --unix-socket "$folder/podman.sock" http://podman/_ping >/dev/null; do sleep 0.2; done

echo "== every sample event"
make --no-print-directory invoke PORT="$port" E="$(echo events/*/*.json)" ARGS=--skip-pull-image \
    >"$folder/events.log" 2>"$folder/events.err.log" || { tail -50 "$folder/events.err.log" "$folder/events.log" >&2; exit 1; }
grep '^· ' "$folder/events.log"
echo "== one event again, all kept"
time make --no-print-directory invoke PORT="$port" E=events/get_pack/unknown.json ARGS=--skip-pull-image >/dev/null 2>&1

echo "== the API"
background make --no-print-directory start-api PORT="$port" \
    ARGS="--skip-pull-image --warm-containers LAZY --no-watch --port ${API_PORT:-3080}" >"$folder/api.log" 2>&1
until curl -s -o /dev/null "$api/openapi.json"; do
    kill -0 "${children[-1]}" 2>/dev/null || { cat "$folder/api.log" >&2; exit 1; }
    sleep 1
done
key=$(.venv/bin/python -c 'import json, sys; print(json.load(open(sys.argv[1]))["orgs"]["acme"]["keys"]["full_access"])' \
    ".local/state/$port/stack.json")
ask() { curl -sS --max-time 120 -w '%{http_code}\n' -H "Authorization: Bearer ${1:-$key}" "${@:2}"; }
check() { if [ "$2" = "$3" ]; then echo "$1: $2"; else echo "$1: $2, not $3" >&2; exit 1; fi; }

check "GET /packs" "$(ask "$key" -o "$folder/list" "$api/packs")" 200
check "GET /packs without a key" "$(curl -s -o /dev/null -w '%{http_code}' "$api/packs")" 401
check "GET /packs with a wrong key" "$(ask sk_wrong -o /dev/null "$api/packs")" 502
head -c 100000 /dev/urandom >"$folder/noise"
rm -rf "$folder/pack"
mkdir -p "$folder/pack/data"
name=by-sam-$(date +%s)
printf 'name: %s\nversion: 1.0.0\ndescription: Made by podman_recipe.sh.\n' "$name" >"$folder/pack/pack.yaml"
cp "$folder/noise" "$folder/pack/data/noise"
tar -C "$folder" -czf "$folder/pack.tar.gz" pack
check "POST /packs/upload" "$(ask "$key" -o "$folder/made" -F "archive=@$folder/pack.tar.gz" "$api/packs/upload")" 201
id=$(.venv/bin/python -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' "$folder/made")
check "GET /packs/$id/files/data/noise" "$(ask "$key" -o "$folder/read" "$api/packs/$id/files/data/noise")" 200
cmp "$folder/noise" "$folder/read"
echo "the file came back byte for byte"
stack=$(.venv/bin/python -c 'import json, sys; print(json.load(open(sys.argv[1]))["api_url"])' ".local/state/$port/stack.json")
check "the same file from the stack itself" "$(ask "$key" -o "$folder/read" "$stack/packs/$id/files/data/noise")" 200
cmp "$folder/noise" "$folder/read"
echo "== all of it worked"
