"""The unavoidable cost: `python -m bench.gunzip_sha256 ARCHIVE` inflates with isal and hashes once."""

import hashlib
import sys
from pathlib import Path

from isal import igzip_lib


def main() -> None:
    """Print the digest of an archive's inflated content."""
    sha256 = hashlib.sha256()
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    with Path(sys.argv[1]).open("rb") as file:
        while not inflater.eof:
            sha256.update(inflater.decompress(file.read(1 << 16) if inflater.needs_input else b"", 1 << 20))
    print(sha256.hexdigest())


main()
