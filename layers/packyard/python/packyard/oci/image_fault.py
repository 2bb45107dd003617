"""What is wrong with an image that others have built."""


class ImageFault(ValueError):
    """The image cannot be taken; the text follows the name of its field, and is for people."""


class NotAnImage(ImageFault):
    """A manifest is of something else than an image; where an index lists others, one of them may be one."""
