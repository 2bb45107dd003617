"""The composition root: the only place that reads the environment, and where functions get their services.

Everything is imported and made when it is first used, so that a function loads only what it uses.
"""

import codecs
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING

from packyard.composition.clients import aws_client
from packyard.composition.deadline import Deadline
from packyard.composition.deletions import Deletions
from packyard.composition.doors import Doors
from packyard.composition.publishing import Publishing
from packyard.composition.settings import Settings
from packyard.composition.webhooks import WebhookDelivery

if TYPE_CHECKING:
    from packyard.operations.once import Once
    from packyard.operations.operator_view import OperatorView


class Services(Doors, Publishing, Deletions, WebhookDelivery):
    """One container's clients and adapters, and the use cases that use them, by theme; here are those of no theme."""

    @cached_property
    def once(self) -> "Once":
        """Carries out a request once for each idempotency key."""
        from packyard.operations.once import Once

        return Once(table=self.table, clock=self.clock, new_ulid=self.new_ulid)

    @cached_property
    def operator_view(self) -> "OperatorView":
        """Reads how the deployment is."""
        from packyard.operations.operator_view import OperatorView

        return OperatorView(
            deletions=self.deletions,
            tenants=self.tenants,
            usage=self.usage,
            dead_letters=lambda: self.dead_letters,
            clock=self.clock,
        )


_current: list[Services] = []
# The first request makes the services, after its deadline is known.
_deadline = Deadline()


def services() -> Services:
    """Return this container's services. The first call makes them from the environment.

    Raises:
        KeyError, ValueError: A setting is missing from the environment, or is not valid.
    """
    if not _current:
        settings = Settings.from_environment(os.environ)
        client = partial(aws_client, deadline=_deadline)
        _current.append(
            Services(
                settings=settings,
                deadline=_deadline,
                client=client,
                session_client=lambda service, session: client(service, session=session),
            )
        )
    return _current[-1]


def invocation_begins(
    seconds: float, request_id: str, ci: Mapping[str, str] | None = None, source: str = ""
) -> None:
    """Set the deadline of an invocation, or of a message's share of one, and the request that it is for.

    Args:
        seconds: How long it may take.
        request_id: The id of the request, as in `X-Request-Id`; of a background invocation, Lambda's id of it.
        ci: What is known of the run of CI that makes the request; None for nothing.
        source: Where the sender says that the content comes from; empty for nothing.
    """
    (_current[-1].deadline if _current else _deadline).begin(seconds, request_id, ci, source)


def prepare(*needs: Callable[[Services], object]) -> None:
    """Make what the first request needs while a function starts.

    While it starts, a function has more processor than its memory buys it later. So the table's client is made then.
    Before a snapshot is taken (SnapStart), time costs nothing, and everything is made. That must not call AWS or a
    registry, since an answer, a token or a connection would be as old as the snapshot (decision 22).

    Args:
        needs: Each reads from the services what the first request would read.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    quiet_libraries()
    _ = services().table
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _load_what_is_loaded_late()
        for need in needs:
            need(services())


def quiet_libraries() -> None:
    """Keep libraries from logging requests.

    At LogLevel DEBUG, Lambda's runtime lets through everything that is logged. botocore then logs whole requests and
    answers, with their tokens, secrets and contents. urllib3 quotes URLs in warnings, and the URLs of blobs are
    presigned. Our own logger has a level of its own.
    """
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.INFO))
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _load_what_is_loaded_late() -> None:
    import ulid  # noqa: F401 - the first id

    from packyard.store import event_items, key_writes, pack_events, role_events  # noqa: F401 - the first event

    if services().settings.scan_function:
        from packyard.store import scan_items  # noqa: F401 - the first result

    for codec in ("idna", "utf_8_sig"):  # the first host name, the first JSON
        codecs.lookup(codec)


@contextmanager
def using(replacement: Services) -> Iterator[Services]:
    """Let functions use `replacement` while the context lasts. Tests pass in their own services by this."""
    _current.append(replacement)
    try:
        yield replacement
    finally:
        _current.pop()
