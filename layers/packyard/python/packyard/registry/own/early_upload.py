"""A blob that is sent to a registry while it is still being made, and whose digest is named last (decision 21)."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Final, Self

from packyard.errors import PackyardError, RegistryUnavailable
from packyard.registry.own.scopes import to_delete, to_push
from packyard.registry.own.transport import Answer, Transport

# Of a layer's pieces, half a mebibyte uncompressed; so many wait at most.
_AHEAD: Final = 6


class EarlyUpload:
    """Implements `BlobUpload` by one POST and one PATCH that takes all pieces (end-4a, end-5).

    A thread sends them. It starts with the first piece and does not outlive the context. Nothing is tried again: who
    closes the upload has the whole blob, and sends that.

    Args:
        transport: Speaks to the registry.
        repository: Its path in the registry; need not be there.
        stall_seconds: For the registry to take a piece.
    """

    def __init__(self, *, transport: Transport, repository: str, stall_seconds: float) -> None:
        self._transport = transport
        self._repository = repository
        self._uploads = f"/v2/{repository}/blobs/uploads/"
        self._stall_seconds = stall_seconds
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._sending: Future[None] | None = None
        # None ends the blob.
        self._pieces: Queue[bytes | None] = Queue(maxsize=_AHEAD)
        self._body_begun = False
        self._given_up = False
        # Where the session is, while it is ours to cancel.
        self._location: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._give_up()
        self._thread.shutdown()
        if self._location is not None:
            self._cancel(self._location)

    def write(self, piece: bytes) -> None:
        """See `BlobUpload`. A registry that is slower than its caller is waited for, one that takes nothing is not."""
        if self._sending is None:
            self._sending = self._thread.submit(self._send)
        if not self._given_up and not self._sending.done():
            self._hand_over(piece)

    def end(self) -> None:
        """See `BlobUpload`."""
        if self._sending is not None and not self._given_up:
            self._hand_over(None)

    def finish(self) -> str | None:
        """See `BlobUpload`."""
        if self._sending is None or self._given_up or self._sending.exception() is not None:
            return None
        location, self._location = self._location, None
        return location

    def _hand_over(self, piece: bytes | None) -> None:
        try:
            self._pieces.put(piece, timeout=self._stall_seconds)
        except Full:
            self._location = None
            self._give_up()

    def _give_up(self) -> None:
        """Have the thread come to an end, whatever it waits for; a socket lets go of it after some seconds."""
        self._given_up = True
        self._drain()
        self._pieces.put(None)

    def _drain(self) -> None:
        with suppress(Empty):
            while True:
                self._pieces.get_nowait()

    def _send(self) -> None:
        try:
            begun = self._transport.send(
                "POST", self._uploads, scopes=to_push(self._repository), headers={"Content-Length": "0"}
            )
            location = self._location = self._transport.location(begun, relative_to=self._uploads)
            taken = self._transport.send(
                "PATCH",
                location,
                scopes=to_push(self._repository),
                headers={"Content-Type": "application/octet-stream"},
                body=self._body,
            )
            self._location = self._next(taken, location)
        except RegistryUnavailable:
            if not self._given_up:
                # Who does not answer is not asked to forget, either.
                self._location = None
            raise
        finally:
            # Whoever hands over a piece just now must not wait for nobody.
            self._drain()

    def _body(self) -> Iterator[bytes]:
        if self._body_begun:
            # A credential that ends between POST and PATCH: what has been sent is not here any more.
            raise RegistryUnavailable("The registry did not take the blob.")
        self._body_begun = True
        while (piece := self._pieces.get()) is not None:
            yield piece
        if self._given_up:
            raise RegistryUnavailable("The blob has been given up.")

    def _next(self, taken: Answer, location: str) -> str:
        """Return where to go on: where the registry says, or where we are."""
        if "Location" not in taken.headers:
            return location
        return self._transport.location(taken, relative_to=location)

    def _cancel(self, location: str) -> None:
        """Spare the registry from keeping what nobody will close; it forgets by itself too (end-14)."""
        with suppress(PackyardError):
            self._transport.send(
                "DELETE", location, scopes=to_delete(self._repository), also={HTTPStatus.NOT_FOUND}
            )
