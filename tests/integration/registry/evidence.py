"""What a test can look at afterwards: the requests that a registry received, and what an error tells the log."""

from tests.fake_registry.server import FakeRegistry


def asked(fake: FakeRegistry, method: str, path: str = "") -> int:
    """Return how many requests of a method the registry received whose path contains `path`."""
    return sum(request.method == method and path in request.path for request in fake.requests)


def notes(error: BaseException) -> str:
    """Return what the log gets to see of an error besides its message."""
    return "\n".join(getattr(error, "__notes__", ()))


def causes(error: BaseException) -> str:
    """Return the notes of an error and of everything that caused it."""
    return notes(error) + (causes(error.__cause__) if error.__cause__ else "")
