"""What comes of one attempt, whatever the receiver does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import pytest

from packyard.network.guard import Guard, TrustedHosts, connect_to
from packyard.network.guarded_connection import tls_context
from packyard.network.sender import Sender, TooLittleTime
from packyard.webhooks.delivery import DeliveryError, Outcome

SECONDS: Final = 0.5
# Busy machines take longer than the limit. This tells what ends from what does not.
ENDS: Final = 20
# Made once, as in a container: reading the authorities takes a good part of an attempt's time here.
TLS: Final = tls_context()
Answer = Callable[[socket.socket], None]


@contextmanager
def receiver(answer: Answer) -> Iterator[int]:
    """Run a receiver that reads a request and then does what a test wants, and yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(ENDS)


def sender(
    addresses: Sequence[Sequence[str]] = (("127.0.0.1",),), trusted: str = "127.0.0.1:*,http://there.test:*"
) -> Sender:
    """Return a sender whose name service gives one answer after the other, the last one for ever."""
    left = list(addresses)
    return Sender(
        guard=Guard(
            trusted=TrustedHosts.parse(trusted),
            resolve=lambda _host, _port: left.pop(0) if len(left) > 1 else left[0],
            connect=connect_to,
        ),
        tls=lambda: TLS,
        monotonic=time.monotonic,
        time_left=lambda: 60.0,
        seconds=SECONDS,
    )


def says(status: str, *headers: str) -> Answer:
    lines = "\r\n".join((f"HTTP/1.1 {status}", *headers))
    return lambda connection: connection.sendall(f"{lines}\r\nContent-Length: 0\r\n\r\n".encode())


def drips(start: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return answer


def says_nothing(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (says("200 OK"), Outcome(status=200)),
        (says("204 No Content"), Outcome(status=204)),
        (says("302 Found", "Location: http://127.0.0.1/"), Outcome(status=302, error=DeliveryError.REDIRECT)),
        (
            says("429 Slow", "Retry-After: 120"),
            Outcome(status=429, error=DeliveryError.STATUS, retry_after=timedelta(seconds=120)),
        ),
        (
            says("503 Later", "Retry-After: Fri, 31 Dec 2027 23:59:59 GMT"),
            Outcome(status=503, error=DeliveryError.STATUS),
        ),
        (says("500 Fault", "Retry-After: -1"), Outcome(status=500, error=DeliveryError.STATUS)),
        (says_nothing, Outcome(error=DeliveryError.NO_ANSWER)),
        (drips(b"HTTP/1.1 200 OK\r\nX-Slow: "), Outcome(error=DeliveryError.NO_ANSWER)),
        (
            lambda connection: connection.sendall(b"220 mail.test ESMTP\r\n"),
            Outcome(error=DeliveryError.NO_ANSWER),
        ),
        # What it says after its headers is not read.
        (drips(b"HTTP/1.1 200 OK\r\n\r\n"), Outcome(status=200)),
    ],
)
def test_an_answer_is_judged_by_its_status_and_within_its_time(answer: Answer, outcome: Outcome) -> None:
    with receiver(answer) as port:
        begun = time.monotonic()
        found = sender().post(f"http://127.0.0.1:{port}/", b"{}", {})

    assert found == outcome
    assert time.monotonic() - begun < ENDS


def test_what_is_not_reached_is_one_error_whatever_the_cause() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    urls = {
        f"http://127.0.0.1:{closed}/": sender(),
        "https://private.test/": sender([("10.0.0.1",)]),
        "https://absent.test/": sender([()]),
        "https://mixed.test/": sender([("93.184.215.14", "10.0.0.1")]),
        "http://plain.test/": sender([("93.184.215.14",)]),
    }

    assert {url: made.post(url, b"{}", {}) for url, made in urls.items()} == dict.fromkeys(
        urls, Outcome(error=DeliveryError.UNREACHABLE)
    )


def test_a_host_that_changes_its_address_is_checked_at_each_attempt() -> None:
    # It is trusted at first, by an address of this machine, and then it is not.
    made = sender([("127.0.0.1",), ("10.0.0.1",)], trusted="http://127.0.0.1:*")
    with receiver(says("200 OK")) as port:
        assert made.post(f"http://127.0.0.1:{port}/", b"{}", {}).status == 200
        assert made.post(f"https://moved.test:{port}/", b"{}", {}) == Outcome(error=DeliveryError.UNREACHABLE)


def test_a_host_that_speaks_no_tls_is_named_as_that() -> None:
    with receiver(says("400 Bad Request")) as port:
        outcome = sender(trusted=f"there.test:{port}").post(f"https://there.test:{port}/", b"{}", {})

    assert outcome == Outcome(error=DeliveryError.TLS)


def test_no_attempt_is_made_that_the_invocation_would_cut_short() -> None:
    made = Sender(
        guard=sender().guard,
        tls=lambda: TLS,
        monotonic=time.monotonic,
        time_left=lambda: SECONDS / 2,
        seconds=SECONDS,
    )

    with pytest.raises(TooLittleTime):
        made.post("http://127.0.0.1:9/", b"{}", {})
