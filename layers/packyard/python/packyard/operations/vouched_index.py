"""Whether a file index, which is a cache, is borne out by what a pack's row says."""

from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerContents
from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import chained
from packyard.oci.read.file_index import FileIndex
from packyard.packs.pack import Pack


def row_bears_out_files(pack: Pack, index: FileIndex) -> bool:
    """Return whether the row bears out what an index says of layers and files, the layers' sizes apart."""
    diff_ids = [layer.diff_id for layer in index.layers if layer.diff_id is not None]
    return (
        0 < len(index.layers) == len(diff_ids)
        and chained([layer.digest for layer in index.layers]) == pack.layer_digest
        and chained(diff_ids) == pack.chain_id
        and content_digest_of(index.files) == pack.content_digest
    )


def row_bears_out_sizes(pack: Pack, index: FileIndex) -> bool:
    """Return whether the layers that an index states are those of the pack's image, with these sizes.

    An image of ours follows from its layers, the pack's name, version and description. So the digest in the row says
    whether the sizes are right, without a request. A clone under another name keeps the name in its image, and this
    returns False for it.
    """
    layers = [
        LayerContents(digest=layer.digest, size=layer.size, diff_id=layer.diff_id, files=(), directories=())
        for layer in index.layers
        if layer.diff_id is not None
    ]
    image = build_image(layers=layers, title=pack.name, version=pack.version, description=pack.description)
    return image.index.digest == pack.image_digest
