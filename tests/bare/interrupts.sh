#!/usr/bin/env bash
# Interrupts `make run` at many moments, and holds that no traceback is shown and that the next run mends what is left.
# Needs nothing that `make run` does not. What is tried is the latest commit, in a clone of its own.
#
#   tests/bare/interrupts.sh 20      so often (20); PORT=4570 and SEED=1 as wanted
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${1:-20}
export PORT=${PORT:-4566}
RANDOM=${SEED:-1}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/packyard interrupts.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
git clone -q "$here" "$scratch/clone"
cd "$scratch/clone"

# The moments cover a whole first run, which takes about 60 s. Sometimes all files that were made are removed before a run.
forget() {
    case $((RANDOM % 6)) in
        0) rm -rf .venv ;;
        1) rm -rf .local/tools/uv .local/tools/sam ;;
        2) rm -rf .local/build .local/build.version ;;
        3) rm -rf .local/state ;;
        4) rm -rf .venv .local ;;
        *) ;;
    esac
}

complaints=0
for ((round = 1; round <= rounds; round++)); do
    forget
    signal=$(printf '%s\n' INT TERM KILL | sed -n "$((RANDOM % 3 + 1))p")
    # Half of them in the first three seconds.
    milliseconds=$((RANDOM % 2 ? RANDOM % 3000 : RANDOM % 45000))
    # As from a terminal: the signal goes to make and all that it waits for. A shell lets its jobs ignore SIGINT.
    python3 -c 'import os, signal
os.setsid()
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("make", ["make", "run", "ARGS=--check"])' >"$scratch/log" 2>&1 &
    group=$!
    until kill -0 -- "-$group" 2>/dev/null; do sleep 0.01; done
    sleep "$(printf '%d.%03d' $((milliseconds / 1000)) $((milliseconds % 1000)))"
    kill -"$signal" -- "-$group" 2>/dev/null || true
    status=0; wait "$group" 2>/dev/null || status=$?
    said=$(grep -v '^$' "$scratch/log" | tail -n 1) || true
    printf '%3d  %-4s after %5d ms  status %3d  %s\n' "$round" "$signal" "$milliseconds" "$status" "$said"
    if grep -q 'Traceback\|Exception ignored' "$scratch/log"; then
        complaints=$((complaints + 1)); cat "$scratch/log"
    fi
done

echo "== and now undisturbed"
make run ARGS=--check | tail -n 12
echo "== $rounds interrupts, $complaints tracebacks"
exit $((complaints > 0))
