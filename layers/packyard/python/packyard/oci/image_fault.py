"""Faults of images that third parties have built."""


class ImageFault(ValueError):
    """The image is not accepted. The message is for people, and follows the name of the field."""


class NotAnImage(ImageFault):
    """A manifest describes an artifact other than an image. Other entries of the same index may still be images."""
