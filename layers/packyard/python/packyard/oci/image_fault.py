"""Faults of images that third parties have built."""

from typing import Final

CORRUPT_LAYER: Final = "has a layer whose compression is corrupt"


class ImageFault(ValueError):
    """The image is not accepted. The message is for people, and follows the name of the field."""


class NotAnImage(ImageFault):
    """A manifest describes an artifact other than an image. Other entries of the same index may still be images."""


class NotOurForm(Exception):
    """A layer does not consist of what the index says: the index is wrong, or the layer is not one of ours."""
