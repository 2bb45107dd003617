"""What an operation comes to when nothing goes wrong, and that it comes to the same after something has.

A test runs the operation once for reference. Then it runs it from the same start again and again, with another fault
each time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.engine.taps import Log, PointName
from tests.gateway import Answer
from tests.reliability.deployment import HIDDEN, Deployment, Saved
from tests.reliability.invariants import Observed
from tests.reliability.operations import Operation

from packyard.webhooks.webhook import is_webhook_id

_REPEATS: Final = 4
_COME_AGAIN: Final = frozenset({502, 503})
_OURS_TO_ANSWER: Final = frozenset({502, 503, 504})


@dataclass(frozen=True)
class ReferenceRun:
    """An operation, where it starts from, and what it comes to when nothing goes wrong.

    Attributes:
        start: The deployment just before it.
        seen_before: What a caller can see then.
        facts_before: The facts then, once every message is settled.
        points: The requests that it sends.
        seen_after: What a caller can see when it is done.
        facts_after: The facts then, once every message is settled.
    """

    deployment: Deployment
    operation: Operation
    start: Saved
    seen_before: Any
    facts_before: Any
    points: list[PointName]
    seen_after: Any
    facts_after: Any

    def begin(self) -> None:
        """Put the deployment back to where the operation starts."""
        self.deployment.restore(self.start)

    def retry(self) -> None:
        """Ask again until the answer says that the operation was carried out, now or before."""
        answer = self.operation.act(self.deployment)
        for _ in range(_REPEATS):
            if answer.status not in _COME_AGAIN:
                break
            self.deployment.service.clock.advance(HIDDEN)
            answer = self.operation.act(self.deployment)
        allowed = self.operation.done | self.operation.repeated
        assert answer.status in allowed, f"a repeat was answered {answer.status}: {answer.body}"

    def end(self) -> None:
        """Let every message be settled, and check that all is as if nothing had gone wrong."""
        assert_either(facts(self.deployment.settle()), *self.ends)

    @property
    def ends(self) -> list[Any]:
        """The facts that there may be in the end."""
        healed = [self.facts_after | self.seen_before] if self.operation.heals else []
        return [self.facts_after, *healed]

    def recover(self, *, settle_first: bool) -> None:
        """Check what must hold now, ask again, and check that all is as if nothing had gone wrong.

        Args:
            settle_first: Whether every message comes due before the client asks again.
        """
        self.deployment.check()
        if settle_first:
            assert_either(facts(self.deployment.settle()), self.facts_before, *self.ends)
        self.retry()
        self.deployment.check()
        self.end()


def reference_run(deployment: Deployment, operation: Operation, saved: Saved) -> ReferenceRun:
    """Run an operation on a deployment in a saved state, with nothing going wrong."""
    deployment.restore(saved)
    operation.prepare(deployment)
    start = deployment.save()
    seen_before = visible(deployment.check())
    facts_before = facts(deployment.settle())
    deployment.restore(start)
    log = Log()
    with deployment.wire.tapped(log):
        answer = operation.ask(deployment)
    assert answer.status in operation.done, f"{operation.name}: {answer.status} {answer.body}"
    return ReferenceRun(
        deployment,
        operation,
        start,
        seen_before,
        facts_before,
        log.passed,
        visible(deployment.check()),
        facts(deployment.settle()),
    )


def each_of(cases: list[Any], attempt: Callable[[Any], None]) -> None:
    """Make each attempt, then fail if any has failed, and name all that have."""
    failures = []
    for case in cases:
        try:
            attempt(case)
        except Exception as failure:  # noqa: BLE001 - an assertion's or the service's own; the next case starts anew
            failures.append(f"{case}: {type(failure).__name__}: {failure}")
    assert not failures, f"{len(failures)} of {len(cases)}:\n" + "\n".join(failures)


def require_documented(answer: Answer) -> None:
    """Check that the contract has a failure."""
    if answer.status >= 500:
        assert answer.status in _OURS_TO_ANSWER, f"answered {answer.status}: {answer.body}"


def facts(seen: Observed) -> dict[str, Any]:
    """Return all about packs, roles and images that does not differ from one run to the next."""
    name_of = {pack_id: f"{pack.org_id}/{pack.name}" for pack_id, pack in seen.packs.items()}
    packs = [
        (
            name_of[pack_id],
            pack.status.value,
            pack.visibility.value,
            pack.image_origin.value,
            pack.revision,
            pack.version,
            pack.image_digest,
            pack.image_ref,
            [
                (entry["operation"], entry["image_digest"], entry["actor"])
                for entry in seen.histories[pack_id]
            ],
        )
        for pack_id, pack in seen.packs.items()
    ]
    roles = [
        (
            role["org_id"],
            role["role_id"],
            int(role["revision"]),
            [name_of[pack] for pack in role["pack_ids"]],
            sorted((name_of[pack], int(pin["revision"])) for pack, pin in role.get("pins", {}).items()),
        )
        for role in seen.roles
    ]
    images = {
        name: (
            sorted(repository.manifests),
            sorted(repository.tags.items()),
            sorted(repository.lost - repository.blobs.keys()),
        )
        for name, repository in seen.repositories.items()
        if repository.manifests
    }
    # A crash may leave a key whose secret nobody knows. A revoked key stays revoked.
    revoked = sorted(item["label"] for item in seen.items if item["SK"] == "KEY" and "revoked_at" in item)
    return {
        "packs": sorted(packs),
        "roles": sorted(roles),
        "images": images,
        "revoked keys": revoked,
        "webhooks": _webhooks(seen),
        "deliveries": sorted(
            {(item["type"], item["status"]) for item in seen.items if item["PK"].startswith("DELIVERIES#")}
        ),
    }


def _webhooks(seen: Observed) -> list[Any]:
    # A crash may leave a webhook whose secret nobody knows, beside the one that the repeat has made.
    webhooks = (
        (item["org_id"], item[name].get("description"), item[name]["state"])
        for item in seen.items
        if item["SK"] == "HOOKS"
        for name in item
        if is_webhook_id(name)
    )
    return sorted(set(webhooks))


def visible(seen: Observed) -> dict[str, Any]:
    """Return the facts that a caller can see."""
    # What came of a delivery changes in the background, after the answer.
    return {name: value for name, value in facts(seen).items() if name not in ("images", "deliveries")}


def assert_same(found: Any, wanted: Any) -> None:
    """Check that facts are those expected, and name what differs."""
    assert found == wanted, "\n".join(difference(found, wanted))


def assert_either(found: Any, *wanted: Any) -> None:
    """Check that facts are one of those expected, and name what differs."""
    assert found in wanted, "\n".join(
        ["as none of these:", *(part for one in wanted for part in difference(found, one))]
    )


def difference(found: Any, wanted: Any) -> Iterator[str]:
    """Yield what is there and should not be, and what should be there and is not."""
    for name in wanted:
        has, should = (
            [str(part) for part in (value[name].items() if isinstance(value[name], dict) else value[name])]
            for value in (found, wanted)
        )
        yield from (f"  {name} has {part}" for part in has if part not in should)
        yield from (f"  {name} lacks {part}" for part in should if part not in has)
