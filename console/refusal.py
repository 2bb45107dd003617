"""What a command says instead of doing what it was asked."""


class Refused(Exception):
    """A command cannot do that; the message tells the operator why."""
