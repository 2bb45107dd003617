"""A process that dies at its k-th external call, or is overtaken there by another.

Calls are counted where they leave the process: every AWS call by botocore's own hooks, every step of the registry by a
wrapper around the port. Dying is an exception that nothing in the service catches, as nothing catches a kill.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import pytest
from tests.service import Service

from packyard.registry.own.port import BlobUpload, ImageRegistry

# What the composition root makes with the registry in hand.
_AROUND_THE_REGISTRY: Final = (
    "built_images",
    "publisher",
    "file_editor",
    "cloner",
    "builder",
    "deleter",
    "cleaner",
)


class Killed(BaseException):
    """The process has been killed."""


@dataclass
class Fuse:
    """Counts external calls and kills at one of the moments right before and right after them.

    Attributes:
        moment: 0 dies before the first call, 1 right after it, 2 before the second, and so on; None never.
        interlude: What happens at that moment instead of dying; then the process goes on.
        calls: What was called, in order.
    """

    moment: int | None = None
    interlude: Callable[[], object] | None = None
    calls: list[str] = field(default_factory=list)
    _passed: int = 0

    def before(self, call: str) -> None:
        """Note that a call is about to be made."""
        self._pass()
        self.calls.append(call)

    def after(self) -> None:
        """Note that the call has been made, whether or not anybody heard the answer."""
        self._pass()

    def _pass(self) -> None:
        if self._passed != self.moment:
            self._passed += 1
        elif self.interlude is None:
            raise Killed
        else:
            self.moment = None
            self.interlude()


class WatchedRegistry:
    """The registry, with a fuse at each of its steps."""

    def __init__(self, registry: ImageRegistry, fuse: Fuse) -> None:
        self._registry = registry
        self._fuse = fuse
        self.host = registry.host

    def __getattr__(self, name: str) -> Callable[..., Any]:
        step = getattr(self._registry, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._fuse.before(f"registry.{name}")
            result = step(*args, **kwargs)
            self._fuse.after()
            return WatchedUpload(result, self._fuse) if name == "begin_upload" else result

        return watched


class WatchedUpload:
    """An upload ahead of the push, with a fuse at each of its steps; closing it is part of the push."""

    def __init__(self, upload: BlobUpload, fuse: Fuse) -> None:
        self._upload = upload
        self._fuse = fuse
        self.finish = upload.finish

    def __enter__(self) -> Self:
        self._upload.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._upload.__exit__(kind, error, traceback)

    def write(self, piece: bytes) -> None:
        """Hand on a piece."""
        self._fuse.before("upload.write")
        self._upload.write(piece)
        self._fuse.after()

    def end(self) -> None:
        """Hand on that it was the last."""
        self._fuse.before("upload.end")
        self._upload.end()
        self._fuse.after()


def moments(calls: list[str]) -> list[Any]:
    """Return the moments right before and right after each of these calls, for parametrize."""
    return [
        pytest.param(2 * number + side, id=f"{'after' if side else 'before'} {number + 1} {call}")
        for number, call in enumerate(calls)
        for side in (0, 1)
    ]


@contextmanager
def fused(
    service: Service, moment: int | None, interlude: Callable[[], object] | None = None
) -> Iterator[Fuse]:
    """Let the service die at `moment`, or something else happen there; once the context ends it is whole again."""
    fuse = Fuse(moment, interlude)
    clients = (service.aws.dynamodb, service.aws.s3, service.aws.sqs)

    def before(model: Any, **_: Any) -> None:
        fuse.before(f"{model.service_model.service_name}.{model.name}")

    def after(**_: Any) -> None:
        fuse.after()

    registry = service.services.registry
    # Collaborators are made anew around the watched registry, and anew again afterwards.
    _forget_collaborators(service)
    service.services.__dict__["registry"] = WatchedRegistry(registry, fuse)
    for client in clients:
        client.meta.events.register("before-call", before, unique_id="fuse-before")
        client.meta.events.register("after-call", after, unique_id="fuse-after")
    try:
        yield fuse
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="fuse-before")
            client.meta.events.unregister("after-call", unique_id="fuse-after")
        service.services.__dict__["registry"] = registry
        _forget_collaborators(service)


def _forget_collaborators(service: Service) -> None:
    for name in _AROUND_THE_REGISTRY:
        service.services.__dict__.pop(name, None)
