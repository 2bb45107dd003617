"""Statements on the deployed template: KMS signs, the stream and the queue carry, each function under its role."""

import json
from urllib.parse import urlsplit

import urllib3
from local.stack import StackDescription
from tests.e2e.client import Client
from tests.service import PackArchive

from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE
from packyard.attestations.verify import verify_bundle


def test_an_upload_is_attested_and_verified_and_its_statements_go_with_it(
    acme: Client, stack: StackDescription
) -> None:
    pack = acme.upload(PackArchive(name="attested").build()).body

    found = acme.attested(pack["id"])

    # No credential is needed for the keys.
    keys = {
        key["id"]: key["pem"]
        for key in Client.of(stack).call("GET", "/.well-known/packyard/keys.json").body["keys"]
    }
    statements = [
        verify_bundle(json.dumps(one["bundle"]).encode(), keys=keys, subject=pack["image_digest"])
        for one in found["statements"]
    ]
    assert [statement.predicate_type for statement in statements] == [PROVENANCE, BILL_OF_MATERIALS]
    assert acme.call("GET", f"/packs/{pack['id']}").body["attestations"] == "attached"
    # The emulator's registry has no API for referrers, so that a tag lists them.
    host, _, path = pack["image_ref"].partition("/")
    tags = f"{urlsplit(stack['endpoint_url']).scheme}://{host}/v2/{path.rpartition(':')[0]}"
    index = urllib3.request("GET", f"{tags}/manifests/{pack['image_digest'].replace(':', '-')}")
    assert {entry["digest"] for entry in index.json()["manifests"]} == {
        one["manifest_digest"] for one in found["statements"]
    }

    assert acme.call("DELETE", f"/packs/{pack['id']}").status == 200
    gone = urllib3.request("GET", f"{tags}/manifests/{pack['image_digest'].replace(':', '-')}")
    assert gone.status == 404
