import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.command import Command, Ran, pack_folder
from tests.service import Service

from packyard.packs.event import SHOWN_AFTER


@pytest.fixture
def written(service: Service, packyard: Command, tmp_path: Path) -> None:
    """A pack, a role that holds it, and two keys, in this order."""
    for arguments in (
        ("push", pack_folder(tmp_path / "pack")),
        ("roles", "attach", "support", "slack"),
        ("keys", "make", "one"),
        ("keys", "make", "two"),
    ):
        service.clock.advance(timedelta(seconds=1))
        assert packyard(*arguments).exit_code == 0
    service.clock.advance(SHOWN_AFTER)


def types(ran: Ran) -> list[str]:
    assert ran.exit_code == 0, ran.out + ran.err
    return [event["type"] for event in ran.document["events"]]


@pytest.mark.usefixtures("written")
def test_events_are_listed_by_everything_that_they_can_be_asked_by(packyard: Command) -> None:
    everything = packyard("events", "--json")
    oldest_first = everything.document["events"][::-1]

    assert types(everything) == ["key.issued", "key.issued", "role.updated", "pack.created"]
    assert types(packyard("events", "--json", "--limit", "2")) == ["key.issued"] * 2
    assert types(packyard("events", "--json", "--type", "pack.created")) == ["pack.created"]
    assert types(packyard("events", "--json", "--role", "support")) == ["role.updated"]
    assert types(packyard("events", "--json", "--actor", "nobody")) == []
    for pack in ("slack", oldest_first[0]["pack_id"]):
        assert types(packyard("events", "--json", "--pack", pack)) == ["pack.created"]
    after = packyard("events", "--json", "--after", oldest_first[0]["id"], "--before", oldest_first[2]["id"])
    assert after.document["events"] == oldest_first[1:2]


@pytest.mark.usefixtures("written")
def test_a_person_reads_what_happened_to_what_and_by_whom(packyard: Command) -> None:
    heading, *_, created = packyard("events").out.splitlines()

    assert heading.split() == ["AT", "TYPE", "OF", "REVISION", "ACTOR", "ID"]
    assert created.split()[1:5] == ["pack.created", "slack", "1", "key:acme"]
    assert packyard("events", "--actor", "nobody").out == "No events.\n"


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [
        (("--after", "1"), 3),
        (("--type", "pack.create"), 3),
        (("--pack", "no-such-pack"), 6),
        (("--limit", "0"), 2),
        (("--follow", "--before", "0" * 26), 2),
    ],
)
def test_what_cannot_be_listed_is_refused(
    packyard: Command, options: tuple[str, ...], exit_code: int
) -> None:
    assert packyard("events", *options).exit_code == exit_code


@pytest.mark.usefixtures("written")
def test_events_are_followed_as_they_come_one_on_a_line_until_ctrl_c(
    service: Service, packyard: Command
) -> None:
    waits = 0

    def meanwhile(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 4:
            raise KeyboardInterrupt
        asked = {"label": f"key {waits}", "scopes": []}
        assert service.send("keys", "POST", "/keys", json=asked).status == 201
        assert service.set_role(f"role-{waits}", []).status == 200
        service.clock.advance(SHOWN_AFTER)

    packyard.sleep = meanwhile
    ran = packyard("events", "--follow", "--json", "--type", "key.issued", "--actor", "key:acme")

    assert ran.exit_code == 0
    labels = [json.loads(line)["data"]["label"] for line in ran.out.splitlines()]
    assert labels == ["key 1", "key 2", "key 3"]
    assert "--after" in ran.err


@pytest.mark.usefixtures("written")
def test_following_goes_on_after_the_last_event_that_was_seen(packyard: Command) -> None:
    def end(_seconds: float) -> None:
        raise KeyboardInterrupt

    packyard.sleep = end
    oldest = packyard("events", "--quiet").out.splitlines()[-1]
    ran = packyard("events", "--follow", "--after", oldest)

    assert [line.split()[1] for line in ran.out.splitlines()] == ["role.updated", "key.issued", "key.issued"]
