"""What compressing and building give on the processor that runs this script: lines of a name and a digest.

Run by `tests/integration/test_processors.py`: `processor_child.py pieces FOLDER`, or `processor_child.py image FOLDER`,
with a folder of files. Emulated processors run it, so that it does little and imports little.
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

from isal import isal_zlib

from packyard.oci.build.compression import compress_piece

# It finds other matches on each generation of x86-64: it shows that the processor is another one to isal.
_LEVEL_THAT_DIFFERS: Final = 3


def pieces(contents: dict[str, bytes]) -> dict[str, str]:
    """Return the digest of what our compressor makes of the contents, and of what level 3 would make."""
    ours, other = hashlib.sha256(), hashlib.sha256()
    for content in contents.values():
        ours.update(compress_piece(content))
        compressor = isal_zlib.compressobj(_LEVEL_THAT_DIFFERS)
        other.update(compressor.compress(content) + compressor.flush())
    return {"pieces": ours.hexdigest(), "level_3": other.hexdigest()}


def image(contents: dict[str, bytes]) -> dict[str, str]:
    """Return the digests of the image of a pack that has these contents."""
    # Emulated, these imports take seconds.
    from packyard.oci.build.image import build_image  # noqa: PLC0415
    from packyard.oci.build.layer import LayerSpool  # noqa: PLC0415
    from packyard.oci.build.tree import File, canonical_order  # noqa: PLC0415

    with LayerSpool() as spool:
        files = [File(path, False, spool.store([content])) for path, content in contents.items()]
        layer = spool.assemble(canonical_order(directories=["templates"], files=files))
        built = build_image(layers=[layer], title="processors", version="1.0.0")
    return {
        "content_digest": built.content_digest,
        "diff_id": layer.diff_id,
        "layer": layer.digest,
        "index": built.index.digest,
    }


def main() -> None:
    """Print what was asked for."""
    what, folder = sys.argv[1:]
    contents = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    for name, digest in {"pieces": pieces, "image": image}[what](contents).items():
        print(name, digest)  # noqa: T201


main()
