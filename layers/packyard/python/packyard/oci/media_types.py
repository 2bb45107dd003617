"""Media types that the service writes or reads (OCI image-spec, media-types.md; Docker's manifest schema 2)."""

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
# The `Accept` header for a tag or a digest that may name an index or a manifest.
ANY_MANIFEST = f"{INDEX}, {DOCKER_INDEX}, {MANIFEST}, {DOCKER_MANIFEST}"

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
# The config's type distinguishes images from other artifacts that registries store under manifests.
IMAGE_CONFIGS = frozenset({CONFIG, DOCKER_CONFIG})

# The compression of a layer is detected by its first bytes, not by its type.
LAYERS = frozenset(
    {
        GZIP_LAYER,
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        # containers/image writes this for a zstd layer in a Docker manifest (stereoscope #486).
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
    }
)
# ocicrypt appends this to any of the types above.
ENCRYPTED = "+encrypted"
# The registry does not have the content of these layers; the manifest names URLs for it.
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
