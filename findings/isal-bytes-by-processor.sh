#!/usr/bin/env bash
# isal compresses the same bytes to other bytes on another generation of x86-64, but at one level only.
#
# Expected: one release of a compressor gives the same bytes at a level on all processors of one architecture, or differs at
#   each level where it has code for the generation.
# Seen: level 3 gives other bytes on Haswell (AVX2) than on Nehalem and IvyBridge; levels 0 to 2 give the same on all three,
#   although they too have code for each. A processor without SSE4.2 differs at levels 0 to 2, and agrees with Nehalem at 3.
# Where it bites: an image whose layers are compressed at level 3 has another digest when another machine builds it.
# Source: ISA-L's igzip/igzip_multibinary.asm: for level 3 it picks another match finder, "lazyhash1_fillgreedy_greedy", from
#   AVX2 on; for levels 0 to 2 the same one in faster instructions, but a hash by SSE4.2's crc32 instead of a product.
# Needs qemu-x86_64 (Debian's qemu-user) on an x86-64 machine.
set -eu

command -v qemu-x86_64 >/dev/null || { echo "this needs qemu-x86_64: apt-get install qemu-user" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --target "$folder/packages" isal==1.9.1
cat >"$folder/compress.py" <<'PYTHON'
import hashlib
import random

from isal import isal_zlib

dice = random.Random(7)
words = [bytes(dice.choices(b"etaoinshrd", k=dice.randint(2, 9))) for _ in range(500)]
text = b" ".join(dice.choices(words, k=20_000))
print(*(hashlib.sha256(isal_zlib.compress(text, level)).hexdigest()[:8] for level in range(4)))
PYTHON

qemu-x86_64 --version | head -n 1
echo "isal 1.9.1, digests at levels 0 to 3:"
for model in Conroe Nehalem IvyBridge Haswell; do
    PYTHONPATH=$folder/packages qemu-x86_64 -cpu "$model" "$folder/venv/bin/python" "$folder/compress.py" 2>/dev/null >"$folder/$model"
    printf '  %-10s %s\n' "$model" "$(cat "$folder/$model")"
done
levels() { cut -d' ' -f"$2" "$folder/$1"; }
[ "$(cat "$folder/Nehalem")" = "$(cat "$folder/IvyBridge")" ]
[ "$(levels Nehalem 1-3)" = "$(levels Haswell 1-3)" ]
[ "$(levels Nehalem 4)" != "$(levels Haswell 4)" ]
[ "$(levels Nehalem 1-3)" != "$(levels Conroe 1-3)" ]
[ "$(levels Nehalem 4)" = "$(levels Conroe 4)" ]
echo "as seen"
