"""What is wrong with an image that others have built."""


class ImageFault(ValueError):
    """The image cannot be taken; the text follows the name of its field, and is for people."""
