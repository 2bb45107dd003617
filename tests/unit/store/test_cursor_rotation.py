"""Cursors while their secret is rotated, and when it cannot be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from tests.service import Clock

from packyard.aws.signing_secret import CURRENT, PREVIOUS, SigningSecret
from packyard.errors import InvalidRequest, ServiceUnavailable
from packyard.store.cursor import Position
from packyard.store.cursors import Cursors

POSITION = Position("PACK#slack#pack_00000000000000000000000001")
BINDING = {"org": "org_a"}
FIVE_MINUTES = timedelta(minutes=5)


def cursors_of(load: Callable[[str], str | None], clock: Clock) -> Cursors:
    return Cursors(secret=SigningSecret(name="CursorKey", load=load, clock=clock))


@dataclass
class Secret:
    """Versions of a secret, the newest last, as Secrets Manager labels them."""

    versions: list[str] = field(default_factory=lambda: ["first"])
    refused: str = ""
    reads: list[str] = field(default_factory=list)

    def load(self, label: str) -> str | None:
        self.reads.append(label)
        if self.refused:
            raise ClientError({"Error": {"Code": self.refused}}, "GetSecretValue")
        labelled = {CURRENT: self.versions[-1:], PREVIOUS: self.versions[-2:-1]}[label]
        return labelled[0] if labelled else None


@pytest.fixture
def secret() -> Secret:
    return Secret()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_secret_is_read_when_a_cursor_is_needed_and_no_sooner(secret: Secret, clock: Clock) -> None:
    cursors = cursors_of(secret.load, clock)
    assert secret.reads == []

    cursor = cursors.encode(POSITION, BINDING)

    assert cursors.decode(cursor, BINDING) == POSITION
    assert secret.reads == [CURRENT]


def test_the_secret_is_read_again_after_five_minutes(secret: Secret, clock: Clock) -> None:
    cursors = cursors_of(secret.load, clock)
    old = cursors.encode(POSITION, BINDING)
    secret.versions.append("second")

    clock.advance(FIVE_MINUTES - timedelta(seconds=1))
    assert cursors.encode(POSITION, BINDING) == old
    clock.advance(timedelta(seconds=1))
    assert cursors.encode(POSITION, BINDING) != old
    assert secret.reads == [CURRENT, CURRENT]


def test_a_cursor_from_before_a_rotation_is_good_until_the_next_one(secret: Secret, clock: Clock) -> None:
    cursor = cursors_of(secret.load, clock).encode(POSITION, BINDING)
    secret.versions.append("second")
    assert cursors_of(secret.load, clock).decode(cursor, BINDING) == POSITION
    secret.versions.append("third")

    with pytest.raises(InvalidRequest):
        cursors_of(secret.load, clock).decode(cursor, BINDING)


@pytest.mark.parametrize("rotations", [1, 2])
def test_a_cursor_of_a_container_that_knows_a_newer_secret_is_good(
    secret: Secret, clock: Clock, rotations: int
) -> None:
    behind = cursors_of(secret.load, clock)
    own = behind.encode(POSITION, BINDING)
    made = []
    for number in range(rotations):
        secret.versions.append(f"rotated {number}")
        made.append(cursors_of(secret.load, clock).encode(POSITION, BINDING))
    clock.advance(timedelta(seconds=1))

    assert [behind.decode(cursor, BINDING) for cursor in made] == [POSITION] * rotations
    # What it has signed itself before, it takes for as long as everybody does.
    if rotations == 1:
        assert behind.decode(own, BINDING) == POSITION


def test_forged_cursors_have_the_secret_read_once_a_second_at_most(secret: Secret, clock: Clock) -> None:
    cursors = cursors_of(secret.load, clock)
    forged = cursors_of(lambda _label: "another deployment's", clock).encode(POSITION, BINDING)
    for _ in range(20):
        with pytest.raises(InvalidRequest):
            cursors.decode(forged, BINDING)
    assert secret.reads == [CURRENT, PREVIOUS]
    clock.advance(timedelta(seconds=1))
    for _ in range(20):
        with pytest.raises(InvalidRequest):
            cursors.decode(forged, BINDING)

    assert secret.reads == [CURRENT, PREVIOUS] * 2


def test_what_cannot_be_a_cursor_costs_no_reading(secret: Secret, clock: Clock) -> None:
    cursors = cursors_of(secret.load, clock)

    for text in ("", "short", "Ä" * 40, "A" * 300, "A" * 40):
        with pytest.raises(InvalidRequest):
            cursors.decode(text, BINDING)

    assert secret.reads == []


# What Secrets Manager answers when the role may not read, the secret is gone or about to be, or its key is disabled
# (Secrets Manager API reference, GetSecretValue, "Errors").
@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException", "DecryptionFailure"],
)
def test_a_secret_that_cannot_be_read_is_an_outage_that_ends_with_its_cause(
    secret: Secret, clock: Clock, code: str
) -> None:
    cursors = cursors_of(secret.load, clock)
    cursor = cursors_of(secret.load, clock).encode(POSITION, BINDING)
    secret.refused = code
    with pytest.raises(ServiceUnavailable):
        cursors.encode(POSITION, BINDING)
    with pytest.raises(ServiceUnavailable):
        cursors.decode(cursor, BINDING)

    secret.refused = ""
    assert cursors.decode(cursor, BINDING) == POSITION


def test_an_empty_secret_signs_nothing(secret: Secret, clock: Clock) -> None:
    secret.versions = [""]

    with pytest.raises(ServiceUnavailable):
        cursors_of(secret.load, clock).encode(POSITION, BINDING)
