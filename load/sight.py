"""Reads everything in the local AWS through AWS's own interfaces, for the invariants."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import urllib3
from local.aws import Endpoint
from local.stack import StackDescription
from tests.fake_registry.shelves import Manifest, Repository
from tests.reliability.invariants import Observed

from packyard.messaging.cleanup_queue import parse_message
from packyard.oci.digest import Digest
from packyard.store.wire import Item, from_wire

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PREFIX: Final = "packs"
_OK: Final = 200


def observe(
    stack: StackDescription, *, endpoint: Endpoint, registry: str, pending: Sequence[str], now: datetime
) -> Observed:
    """Read everything, once nothing changes any more.

    Args:
        stack: The stack's addresses.
        endpoint: The emulator.
        registry: Host and port of the registry as the functions call it.
        pending: The bodies of cleanup messages that are left.
        now: The instant.
    """
    session = endpoint.session()
    s3 = session.client("s3", endpoint_url=endpoint.url)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack["bucket"])
    return Observed(
        items=list(_items(stack["table"], endpoint)),
        objects=frozenset(found["Key"] for page in pages for found in page.get("Contents", [])),
        repositories=_repositories(session.client("ecr", endpoint_url=endpoint.url), endpoint),
        pending=[parse_message(body) for body in pending],
        now=now,
        host=registry,
        prefix=PREFIX,
        settled=True,
        repositories_are_created=False,
    )


def events_after(table: str, endpoint: Endpoint, *, webhooks: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the ids of the events of organisations from the making of a webhook on.

    Args:
        table: The table.
        endpoint: The emulator.
        webhooks: The ids of webhooks, by organisation.
    """
    events = [item for item in _items(table, endpoint) if item["PK"].startswith("EVENTS#")]
    made = {
        item["org_id"]: item["id"]
        for item in events
        if item["type"] == "webhook.created"
        and json.loads(item["data"])["webhook_id"] == webhooks.get(item["org_id"])
    }
    return {
        org_id: {item["id"] for item in events if item["org_id"] == org_id and item["id"] >= first}
        for org_id, first in made.items()
    }


def _items(table: str, endpoint: Endpoint) -> Iterator[Item]:
    dynamodb = endpoint.session().client("dynamodb", endpoint_url=endpoint.url)
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from (from_wire(item) for item in page["Items"])


def _repositories(ecr: "ECRClient", endpoint: Endpoint) -> dict[str, Repository]:
    http = urllib3.PoolManager()
    pages = ecr.get_paginator("describe_repositories").paginate()
    names = [found["repositoryName"] for page in pages for found in page["repositories"]]
    return {name: _repository(name, ecr, http, endpoint) for name in names}


def _repository(name: str, ecr: "ECRClient", http: urllib3.PoolManager, endpoint: Endpoint) -> Repository:
    repository = Repository()
    base = f"{endpoint.url}/v2/{name}"
    for page in ecr.get_paginator("describe_images").paginate(repositoryName=name):
        for image in page["imageDetails"]:
            digest = Digest(image["imageDigest"])
            raw = http.request("GET", f"{base}/manifests/{digest}").data
            repository.manifests[digest] = Manifest(image["imageManifestMediaType"], raw)
            repository.tags |= dict.fromkeys(image.get("imageTags", ()), digest)
    for manifest in repository.manifests.values():
        document = json.loads(manifest.raw)
        for part in (document["config"], *document["layers"]) if "config" in document else ():
            if http.request("HEAD", f"{base}/blobs/{part['digest']}").status == _OK:
                repository.blobs[Digest(part["digest"])] = b""
    return repository
