"""Media types: what we write, and what else there is to read (OCI image-spec, media-types.md; Docker's schema 2)."""

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
# What a registry is asked for where a tag or a digest may name either, as `Accept` has it.
ANY_MANIFEST = f"{INDEX}, {DOCKER_INDEX}, {MANIFEST}, {DOCKER_MANIFEST}"

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
# What tells an image from what else registries keep under manifests.
IMAGE_CONFIGS = frozenset({CONFIG, DOCKER_CONFIG})

# How a layer is compressed is told by its first bytes, not by its type.
LAYERS = frozenset(
    {
        GZIP_LAYER,
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        # What containers/image writes for a zstd layer below a manifest of Docker's (stereoscope #486).
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
    }
)
# Encrypted by ocicrypt, on top of any of the types above.
ENCRYPTED = "+encrypted"
# Their content lies elsewhere, at URLs that the manifest names.
FOREIGN_LAYERS = frozenset(
    {
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd",
    }
)
