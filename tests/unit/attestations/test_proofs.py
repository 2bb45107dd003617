"""What statements prove of an image, and what they do not. The bundles are made with keys that are thrown away."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.proofs import EXPECTED, FILES, OWNER, a_bill, a_provenance, bundle_of
from tests.signing import FakeSigner

from packyard.attestations.bundle import MAX_BYTES
from packyard.attestations.proof import Expected, NotProved, Proof, prove
from packyard.attestations.statement import Statement
from packyard.attestations.verify import NotVerified, UnknownKey, WrongSubject
from packyard.oci.digest import digest_of

SIGNER: Final = FakeSigner()
KEY: Final = SIGNER.public_key()
KEYS: Final = {KEY.id: KEY.pem}
OTHER: Final = digest_of(b"another image")


def proof_of(
    provenance: Statement | bytes | None = None,
    bill: Statement | bytes | None = None,
    *,
    keys: dict[str, str] = KEYS,
    expected: Expected = EXPECTED,
) -> Proof:
    def raw(given: Statement | bytes) -> bytes:
        return given if isinstance(given, bytes) else bundle_of(SIGNER, given)

    first = raw(a_provenance() if provenance is None else provenance)
    return prove(first, raw(a_bill() if bill is None else bill), keys=keys, expected=expected)


def changed(statement: Statement, change: Callable[[dict[str, Any]], object]) -> Statement:
    """Return a statement whose predicate has something changed."""
    predicate = copy.deepcopy(dict(statement.predicate))
    change(predicate)
    return replace(statement, predicate=predicate)


def test_statements_prove_who_has_published_what_and_from_which_commit() -> None:
    proof = proof_of(
        a_provenance(ci={"kind": "github", "repository": "acme/slack", "commit": "1f0c9a7b2d3e"})
    )

    assert (proof.key_id, proof.owner, proof.operation) == (KEY.id, OWNER, "upload")
    assert proof.ci["commit"] == "1f0c9a7b2d3e"
    assert proof.built_at == "2026-01-02T03:04:05.678Z"
    assert proof.sources == {"archive": digest_of(b"an archive")}


def test_the_packages_that_files_name_are_no_files() -> None:
    package = {"type": "library", "name": "six", "purl": "pkg:pypi/six"}
    assert proof_of(bill=changed(a_bill(), lambda bom: bom["components"].append(package)))


def _as_pack(**fields: str) -> Statement:
    return changed(
        a_provenance(),
        lambda predicate: predicate["buildDefinition"]["externalParameters"]["pack"].update(fields),
    )


def _file(path: str, content: bytes) -> dict[str, Any]:
    sha256 = digest_of(content).removeprefix("sha256:")
    return {"type": "file", "name": path, "hashes": [{"alg": "SHA-256", "content": sha256}]}


def _with_files(*files: Any) -> Statement:
    return changed(a_bill(), lambda bom: bom.update(components=list(files)))


_SAME = [_file(path, content) for path, content in FILES.items()]


@pytest.mark.parametrize(
    ("provenance", "bill", "refusal"),
    [
        pytest.param(replace(a_provenance(), subjects=(OTHER,)), None, WrongSubject, id="another image"),
        pytest.param(None, replace(a_bill(), subjects=(OTHER,)), WrongSubject, id="a bill of another image"),
        pytest.param(_as_pack(id="pack_01HZ0000000000000000000009"), None, NotProved, id="another pack"),
        pytest.param(_as_pack(version="1.0.1"), None, NotProved, id="another version"),
        pytest.param(_as_pack(owner="org_01HZ0000000000000000000009"), None, NotProved, id="another owner"),
        pytest.param(_as_pack(owner="registry.example"), None, NotProved, id="the registry as owner"),
        pytest.param(a_bill(), None, NotProved, id="a bill as provenance"),
        pytest.param(None, a_provenance(), NotProved, id="provenance as a bill"),
        pytest.param(
            changed(
                a_provenance(), lambda it: it["buildDefinition"].update(buildType="https://else.example/v1")
            ),
            None,
            NotProved,
            id="a build of another kind",
        ),
        pytest.param(
            changed(a_provenance(), lambda it: it.pop("runDetails")),
            None,
            NotProved,
            id="no details of the run",
        ),
        pytest.param(
            None,
            _with_files(*_SAME[:-1], _file("pack.yaml", b"other")),
            NotProved,
            id="a file of another digest",
        ),
        pytest.param(None, _with_files(*_SAME[:-1]), NotProved, id="a file is not in the bill"),
        pytest.param(None, _with_files(*_SAME, _file("more.md", b"")), NotProved, id="a file too many"),
        pytest.param(None, _with_files(*_SAME, _SAME[0]), NotProved, id="a file twice"),
        pytest.param(None, _with_files({"type": "file", "name": "pack.yaml"}), NotProved, id="no digest"),
        pytest.param(None, _with_files("pack.yaml"), NotProved, id="a component that is no object"),
        pytest.param(
            None,
            _with_files({**_SAME[0], "name": ["pack.yaml"]}),
            NotProved,
            id="a name that is no text",
        ),
        pytest.param(None, changed(a_bill(), lambda it: it.pop("components")), NotProved, id="no components"),
    ],
)
def test_what_is_signed_and_says_something_else_proves_nothing(
    provenance: Statement | None, bill: Statement | None, refusal: type[NotVerified]
) -> None:
    with pytest.raises(refusal):
        proof_of(provenance, bill)


def test_only_trusted_keys_count() -> None:
    another = FakeSigner().public_key()

    with pytest.raises(UnknownKey):
        proof_of(keys={another.id: another.pem})
    with pytest.raises(UnknownKey):
        proof_of(bill=bundle_of(FakeSigner(), a_bill()))
    # A key that is trusted under the id of another one.
    with pytest.raises(NotVerified, match="not by the key"):
        proof_of(keys={KEY.id: another.pem})


def _swapped() -> bytes:
    """Return a bundle with the signature of the bill and the payload of the provenance."""
    bill, provenance = (json.loads(bundle_of(SIGNER, statement)) for statement in (a_bill(), a_provenance()))
    bill["dsseEnvelope"]["payload"] = provenance["dsseEnvelope"]["payload"]
    return json.dumps(bill).encode()


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(_swapped(), id="a swapped payload"),
        pytest.param(bundle_of(SIGNER, a_provenance())[:-20], id="cut off"),
        pytest.param(b" " * (MAX_BYTES + 1), id="huge"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff", id="no text"),
    ],
)
def test_what_is_no_bundle_of_a_trusted_key_proves_nothing(bundle: bytes) -> None:
    with pytest.raises(NotVerified):
        proof_of(bundle)
    with pytest.raises(NotVerified):
        proof_of(bill=bundle)
