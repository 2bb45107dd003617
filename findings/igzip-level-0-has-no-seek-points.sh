#!/usr/bin/env bash
# ISA-L's fastest gzip level writes what it is given at once as one deflate block, however large it is.
#
# Expected: a gzip file of 32 MiB has a place to start about every MiB, as zlib's files have: indexers such as
#   indexed_gzip, rapidgzip and SOCI's ztoc take the boundaries of deflate blocks, and zlib ends a block after 16,384
#   symbols at its default memory level.
# Seen: igzip's level 0 writes a single block. The file is valid, but an index of it has only its start and its end, so that a read
#   at its end inflates everything. Levels 1 to 3 write many blocks.
# Sources: RFC 1951, section 3.2.3, sets no limit to a block with codes; zlib's zran.c ("at the end of a block");
#   python-isal's igzip.compress(data, 0) and level 0 of the igzip program.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check isal==1.9.1 indexed_gzip==1.10.3
"$work/venv/bin/python" - "$work" <<'PYTHON'
import gzip
import random
import sys
import zlib
from pathlib import Path

import indexed_gzip
import isal
from isal import igzip

words = [random.Random(number).randbytes(3).hex() for number in range(2000)]
content = " ".join(random.Random(0).choices(words, k=5_000_000)).encode()[: 32 << 20]
print(f"isal {isal.__version__}, indexed_gzip {indexed_gzip.__version__}, zlib {zlib.ZLIB_RUNTIME_VERSION}")


def seek_points(name: str, blob: bytes) -> int:
    path = Path(sys.argv[1], "file.gz")
    path.write_bytes(blob)
    assert gzip.decompress(blob) == content
    with indexed_gzip.IndexedGzipFile(str(path), spacing=1 << 20) as file:
        file.build_full_index()
        found = len(list(file.seek_points()))
    print(f"{name:14} expected: more than 20 places to start; seen: {found}")
    return found


usual = [seek_points(f"igzip level {level}", igzip.compress(content, level)) for level in (1, 2, 3)]
usual.append(seek_points("zlib level 1", gzip.compress(content, 1)))
fastest = seek_points("igzip level 0", igzip.compress(content, 0))
sys.exit(0 if min(usual) > 20 and fastest <= 2 else 1)
PYTHON
