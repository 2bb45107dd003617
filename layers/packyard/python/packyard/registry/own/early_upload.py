"""An upload that sends a blob while the blob is still being built; its digest is stated at the end (decision 21)."""

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

# Pieces that may wait to be sent. A layer's pieces hold half a mebibyte before compression.
_MAX_WAITING_PIECES: Final = 6


class EarlyUpload:
    """Implements `BlobUpload` by one POST and one PATCH with all pieces (end-4a, end-5).

    A thread sends them. It starts with the first piece and ends with the context at the latest. Nothing is retried:
    after a failure the caller pushes the whole blob in the usual way.

    Args:
        transport: Sends the requests.
        repository: The repository's path in the registry; it need not exist.
        stall_seconds: The seconds to wait until the registry accepts a piece.
    """

    def __init__(self, *, transport: Transport, repository: str, stall_seconds: float) -> None:
        self._transport = transport
        self._repository = repository
        self._uploads = f"/v2/{repository}/blobs/uploads/"
        self._stall_seconds = stall_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="early-upload")
        self._sending: Future[None] | None = None
        # None marks the end of the blob.
        self._pieces: Queue[bytes | None] = Queue(maxsize=_MAX_WAITING_PIECES)
        self._body_begun = False
        self._given_up = False
        # The URL of the upload session, as long as we have to cancel it.
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
        """See `BlobUpload`. Waits for a slow registry, but gives up when it accepts no piece for `stall_seconds`."""
        if self._sending is None:
            self._sending = self._thread.submit(self._send)
        if not self._given_up and not self._sending.done():
            self._hand_over(piece)

    def end(self) -> None:
        """See `BlobUpload`."""
        if self._sending is not None and not self._given_up:
            self._hand_over(None)

    def settle(self) -> None:
        """See `BlobUpload`. The thread's memory is free for others afterwards."""
        self._thread.shutdown()

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
        """Make the thread end soon, also when it waits for a piece; a wait at the socket has a timeout of its own."""
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
                # A registry that failed to answer gets no request to cancel either.
                self._location = None
            raise
        finally:
            # Nothing takes pieces from the queue any more. This makes room for a caller that waits to put one there.
            self._drain()

    def _body(self) -> Iterator[bytes]:
        if self._body_begun:
            # The PATCH is being repeated after a 401, but the first pieces have been sent and are not kept.
            raise RegistryUnavailable("The registry did not take the blob.")
        self._body_begun = True
        while (piece := self._pieces.get()) is not None:
            yield piece
        if self._given_up:
            raise RegistryUnavailable("The blob has been given up.")

    def _next(self, taken: Answer, location: str) -> str:
        """Return the URL for the next request: the answer's `Location`, or the present URL if it states none."""
        if "Location" not in taken.headers:
            return location
        return self._transport.location(taken, relative_to=location)

    def _cancel(self, location: str) -> None:
        """Cancel an upload that will not be closed (end-14). If this fails, the registry expires it by itself."""
        with suppress(PackyardError):
            self._transport.send(
                "DELETE", location, scopes=to_delete(self._repository), also={HTTPStatus.NOT_FOUND}
            )
