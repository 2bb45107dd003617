"""What the table, the bucket and two registries have, which can be put back: that takes a hundredth of making it."""

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from tests import table_rows
from tests.aws import BUCKET
from tests.fake_registry.server import FakeRegistry
from tests.service import Service


@dataclass(frozen=True)
class Contents:
    """What there is at one time.

    Attributes:
        items: As `table_rows.saved_items` returns them.
        keys: The objects of the bucket.
        shelves: What the service's own registry has.
        elsewhere: What the registry of others has.
        now: The time.
    """

    items: Any
    keys: Any
    shelves: Any
    elsewhere: Any
    now: datetime

    @classmethod
    def of(cls, service: Service, elsewhere: FakeRegistry) -> Self:
        """Return a copy of everything as it is now."""
        return cls(
            items=table_rows.saved_items(),
            keys=copy.deepcopy(_bucket().keys),
            shelves=copy.deepcopy(service.registry.shelves),
            elsewhere=copy.deepcopy(elsewhere.shelves),
            now=service.clock.now,
        )

    def put_back(self, service: Service, elsewhere: FakeRegistry) -> None:
        """Let all of it be as it was."""
        table_rows.put_back(self.items)
        _bucket().keys = copy.deepcopy(self.keys)
        service.registry.shelves = copy.deepcopy(self.shelves)
        elsewhere.shelves = copy.deepcopy(self.elsewhere)
        service.clock.now = self.now


def _bucket() -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET]
