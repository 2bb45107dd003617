#!/usr/bin/env bash
# stream-inflate 0.0.43 (PyPI; what stream-unzip reads members with) gives other bytes than were compressed, without an error,
# when a stored block follows a Huffman block.
#
# Expected: RFC 1951, section 3.2.4: before a stored block the reader skips what is left of the byte, and copies LEN bytes. zlib writes
#           such a block by itself wherever content that compresses is followed by some that does not, as text by a picture.
# Seen:     the right number of bytes, the first difference at the first byte of the first stored block; no exception.
# Source:   https://pypi.org/project/stream-inflate/0.0.43/ and https://www.rfc-editor.org/rfc/rfc1951#section-3.2.4
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" -q --disable-pip-version-check install stream-inflate==0.0.43
"$folder/python/bin/python" - <<'PYTHON'
import random
import zlib
from importlib.metadata import version

from stream_inflate import stream_inflate

random.seed(3)
content = b"hello " * 100 + random.randbytes(40_000)
compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
compressed = compressor.compress(content) + compressor.flush()
assert zlib.decompress(compressed, -15) == content

chunks, _, _ = stream_inflate()
inflated = b"".join(chunks([compressed]))
differs = next((at for at, (a, b) in enumerate(zip(content, inflated)) if a != b), None)
print(f"zlib {zlib.ZLIB_RUNTIME_VERSION}, stream-inflate {version('stream-inflate')}")
print(f"expected: the {len(content)} bytes that zlib gives back")
print(f"seen: {len(inflated)} bytes, no error, the first difference at {differs}")
if differs is None:
    raise SystemExit("this has changed: the content comes back whole")
PYTHON
