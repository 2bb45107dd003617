"""What clients and runs of CI ask for about trusted publishers."""

from collections.abc import Callable
from typing import Any

from tests import publishers
from tests.gateway import Answer
from tests.publishers import GITHUB
from tests.reliability.deployment import Deployment


def add(deployment: Deployment) -> Answer:
    """Add a publisher by names, whose ids the first token pins."""
    return publishers.add(deployment.service, deployment.issuer.url)


def keep(deployment: Deployment) -> None:
    """Add a publisher, and note two first tokens of it: of one repository, and of another one of the same name."""
    publishers.put_acme(deployment.service)
    answer = add(deployment)
    assert answer.status == 201, answer.body
    notes, now = deployment.notes, deployment.service.clock()
    notes["publisher"] = answer.body["id"]
    other: dict[str, Any] = {"repository_id": "777", "repository_owner_id": "666"}
    for name, changes in (("token", {}), ("other token", other)):
        notes[name] = publishers.token(deployment.issuer.url, GITHUB, at=now, jti=name, **changes)


def remove(deployment: Deployment) -> Answer:
    """Remove the publisher that was kept."""
    path = f"/trusted-publishers/{deployment.notes['publisher']}"
    return deployment.service.send("trusted_publishers", "DELETE", path)


def exchange(name: str) -> Callable[[Deployment], Answer]:
    """Return what exchanges a token that was noted."""
    return lambda deployment: publishers.exchange(deployment.service, deployment.notes[name])
