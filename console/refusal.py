"""How a command refuses."""


class Refused(Exception):
    """A command cannot do what it was asked. The message tells the operator why."""
