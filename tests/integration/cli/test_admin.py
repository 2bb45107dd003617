"""`packyard admin`, through its command line, against moto."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from tests.attesting import Attesting
from tests.aws import TABLE
from tests.command import Command, Ran
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service

from packyard.http.authorizer import Unauthorized
from packyard.store.api_key_items import EXPIRY
from packyard.store.keys import api_key_key
from packyard.tenants.api_key import hash_secret
from packyard.tenants.caller import SCOPES, Caller
from packyard.tenants.version_policy import VersionPolicy

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"


class Operator:
    """Somebody at a terminal.

    Attributes:
        where: The options that say which deployment.
    """

    def __init__(self, packyard: Command, where: list[str]) -> None:
        self._packyard = packyard
        self.where = where

    def run(self, *arguments: str, **how: Any) -> Ran:
        return self._packyard("admin", *self.where, *arguments, **how)

    def does(self, *arguments: str) -> list[str]:
        """Return what a command prints for a person."""
        ran = self.run(*arguments)
        assert ran.exit_code == 0, ran.err
        return ran.out.splitlines()

    def gets(self, *arguments: str) -> list[str]:
        """Return what a command prints with `--quiet`."""
        return self.does(*arguments, "--quiet")

    def reads(self, *arguments: str) -> Any:
        """Return what a command prints with `--json`."""
        return json.loads("\n".join(self.does(*arguments, "--json")))

    def is_refused(self, exit_code: int, *arguments: str) -> str:
        """Return what a command prints to standard error when it is refused."""
        ran = self.run(*arguments)
        assert (ran.exit_code, ran.out) == (exit_code, "")
        return ran.err

    def org(self, slug: str = "acme", *options: str) -> str:
        (org_id,) = self.does("org", "create", slug, *options)
        return org_id

    def key(self, org: str = "acme", *options: str) -> str:
        (secret,) = self.does(
            "key", "issue", org, "--label", "ci", "--permission-set", "full_access", *options
        )
        return secret

    def keys(self, org: str = "acme") -> list[Any]:
        keys: list[Any] = self.reads("key", "list", org)["keys"]
        return keys


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    # Where boto3 finds what an operator has in the environment or in ~/.aws.
    for name, value in (("ACCESS_KEY_ID", "testing"), ("SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with running_service() as running:
        yield running


@pytest.fixture
def dead_letters(service: Service) -> str:
    url: str = service.aws.sqs.create_queue(QueueName="packyard-test-dead-letters")["QueueUrl"]
    return url


@pytest.fixture
def operator(service: Service, dead_letters: str, packyard: Command) -> Operator:
    settings = service.services.settings
    parts = ["--table", settings.table, "--queue", settings.cleanup_queue_url, "--dead-letters", dead_letters]
    return Operator(packyard, ["--region", "eu-central-1", *parts])


def authorize(service: Service, secret: str) -> Any:
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret}", "methodArn": METHOD_ARN}
    return service.invoke("authorize", event)["context"]


def test_a_new_organisation_s_new_key_opens_the_api(service: Service, operator: Operator) -> None:
    org_id = operator.org("acme")
    secret = operator.key("acme")

    context = authorize(service, secret)

    assert (context["org_id"], context["org_slug"]) == (org_id, "acme")
    assert (context["scopes"], context["may_create"]) == (" ".join(sorted(SCOPES)), "true")


def test_a_key_may_operate_besides_what_its_permission_set_allows(
    service: Service, operator: Operator
) -> None:
    operator.org("acme")
    issue = ("key", "issue", "acme", "--label", "ada", "--operate", "--permission-set")
    (alone,), (with_all,) = operator.does(*issue, "read_only"), operator.does(*issue, "full_access")

    assert authorize(service, alone)["scopes"] == "operate"
    assert authorize(service, with_all)["scopes"].split() == sorted([*SCOPES, "operate"])
    # Its form says what it is, before anybody asks the service.
    assert alone.startswith("sk_operator_")
    listed = operator.reads("key", "list", "acme")["keys"]
    assert sorted((key["scopes"] for key in listed), key=len) == [["operate"], sorted([*SCOPES, "operate"])]
    assert "operate" in operator.does("key", "list", "acme")[1]


def test_a_key_that_may_operate_stays_on_record_when_it_has_expired(
    service: Service, operator: Operator
) -> None:
    operator.org("acme")
    issue = ("key", "issue", "acme", "--label", "ada", "--permission-set", "read_only", "--operate")
    (secret,) = operator.does(*issue, "--expires", "2030-01-01T00:00:00Z")

    item = service.aws.table.get(api_key_key(hash_secret(secret)))
    assert item is not None
    assert item["void_from"] == "2030-01-01T00:00:00.000Z"
    assert EXPIRY not in item


def test_organisations_are_found_by_id_and_by_slug(operator: Operator) -> None:
    org_id = operator.org("acme", "--platform")

    by_slug, by_id = (operator.reads("org", "show", named) for named in ("acme", org_id))

    assert by_slug == by_id == {"id": org_id, "slug": "acme", "billing": "active", "platform": True}
    assert operator.does("org", "show", "acme")[1].split() == ["acme", "active", "yes", org_id]


def test_the_deployment_is_named_before_or_after_the_command(operator: Operator) -> None:
    org_id = operator.org("acme")
    where, operator.where = operator.where, []

    assert operator.gets("org", "show", "acme", *where) == [org_id]


def test_a_slug_goes_to_one_organisation(operator: Operator) -> None:
    org_id = operator.org("acme")

    assert org_id in operator.is_refused(7, "org", "create", "acme")


@pytest.mark.parametrize("slug", ["Acme", "acme.example", "a" * 64, "", "acme\n"])
def test_a_slug_must_fit_into_a_host_s_name(operator: Operator, slug: str) -> None:
    assert "slug" in operator.is_refused(3, "org", "create", slug)


def test_the_posture_decides_about_creating(service: Service, operator: Operator) -> None:
    operator.org("acme", "--posture", "trial", "--trial-ends", "2026-03-01T13:00:00Z")
    secret = operator.key("acme")
    assert authorize(service, secret)["may_create"] == "true"

    assert operator.reads("org", "posture", "acme", "past_due")["billing"] == "past_due"
    assert authorize(service, secret)["may_create"] == "false"


def test_a_trial_s_end_is_set_and_taken_away(operator: Operator) -> None:
    org_id = operator.org("acme")
    trial = {"id": org_id, "slug": "acme", "billing": "trial", "platform": False}

    ends = operator.reads("org", "posture", "acme", "trial", "--trial-ends", "2026-12-31T00:00:00+01:00")
    endless = operator.reads("org", "posture", "acme", "trial")

    assert ends == {**trial, "trial_ends_at": "2026-12-30T23:00:00.000Z"}
    assert endless == trial


def test_a_secret_is_shown_once_and_kept_nowhere(service: Service, operator: Operator) -> None:
    operator.org("acme")
    secret = operator.key("acme")

    listed = operator.keys("acme")
    kept = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]

    assert len(listed) == 1
    assert secret not in str(listed)
    assert secret not in str(kept)


def test_a_secret_is_alone_on_stdout(operator: Operator) -> None:
    operator.org("acme")
    issue = ("key", "issue", "acme", "--label", "ci", "--permission-set", "read_only")

    for_people, quiet, document = (operator.run(*issue, *how) for how in ((), ("--quiet",), ("--json",)))

    assert for_people.out.startswith("sk_")
    assert "not shown again" in for_people.err
    assert (quiet.out[:3], quiet.err) == ("sk_", "")
    assert document.document["key"].startswith("sk_")
    assert document.document["id"].startswith("key:")


def test_keys_are_listed_with_what_they_allow_and_until_when(operator: Operator) -> None:
    org_id = operator.org("acme")
    operator.does("key", "issue", "acme", "--label", "Ada's laptop", "--permission-set", "read_only")
    operator.key("acme", "--expires", "2030-01-01T00:00:00Z")

    first, second = operator.keys("acme")

    assert (first["permission_set"], first["label"]) == ("read_only", "Ada's laptop")
    assert first.keys() == {"id", "org_id", "label", "permission_set", "created_at"}
    assert (second["org_id"], second["expires_at"]) == (org_id, "2030-01-01T00:00:00.000Z")
    heading, *lines = operator.does("key", "list", "acme")
    assert heading.split() == ["ID", "ALLOWS", "PACK", "CREATED", "BY", "EXPIRES", "REVOKED", "LABEL"]
    assert lines[0].endswith("Ada's laptop")
    assert operator.gets("key", "list", "acme") == [first["id"], second["id"]]


def test_a_revoked_key_opens_nothing_and_stays_on_record(service: Service, operator: Operator) -> None:
    operator.org("acme")
    secret = operator.key("acme")
    key_id = operator.keys("acme")[0]["id"]
    assert authorize(service, secret)["principal"] == key_id
    service.clock.advance(timedelta(days=36500))

    revoked = operator.reads("key", "revoke", "acme", key_id, "--yes")

    assert operator.reads("key", "revoke", "acme", key_id.removeprefix("key:"), "-y") == revoked
    assert operator.keys("acme") == [revoked]
    assert "revoked_at" in revoked
    with pytest.raises(Unauthorized):
        authorize(service, secret)


def test_a_key_is_revoked_after_the_operator_has_agreed(service: Service, operator: Operator) -> None:
    operator.org("acme")
    secret = operator.key("acme")
    revoke = ("key", "revoke", "acme", operator.keys("acme")[0]["id"])

    alone = operator.run(*revoke)
    no = operator.run(*revoke, stdin="n\n", tty=True)

    assert (alone.exit_code, no.exit_code) == (2, 130)
    assert "--yes" in alone.err
    assert authorize(service, secret)["org_slug"] == "acme"
    assert operator.run(*revoke, stdin="y\n", tty=True).exit_code == 0
    with pytest.raises(Unauthorized):
        authorize(service, secret)


def test_a_key_is_revoked_for_its_own_organisation_only(operator: Operator) -> None:
    operator.org("acme")
    operator.org("globex")
    operator.key("acme")
    key_id = operator.keys("acme")[0]["id"]

    assert "no key" in operator.is_refused(6, "key", "revoke", "globex", key_id, "--yes")
    assert operator.keys("globex") == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["org", "show", "nobody"], id="showing"),
        pytest.param(["org", "posture", "org_01hzzzzzzzzzzzzzzzzzzzzzz0", "active"], id="its posture"),
        pytest.param(
            ["key", "issue", "nobody", "--label", "x", "--permission-set", "read_only"], id="issuing"
        ),
        pytest.param(["key", "list", "nobody"], id="listing"),
        pytest.param(["key", "revoke", "nobody", "key:0", "--yes"], id="revoking"),
    ],
)
def test_nothing_is_done_for_an_organisation_that_is_not_there(
    operator: Operator, arguments: list[str]
) -> None:
    assert "no organisation" in operator.is_refused(6, *arguments)


@pytest.mark.parametrize("label", ["", "x" * 121, "two\nlines"])
def test_a_label_is_one_printable_line(operator: Operator, label: str) -> None:
    operator.org("acme")

    assert "label" in operator.is_refused(
        3, "key", "issue", "acme", "--label", label, "--permission-set", "read_only"
    )


def test_a_tier_is_the_pack_s_next_revision_and_in_its_history(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build(), visibility="community").body

    changed = operator.reads("pack", "tier", pack["id"], "verified", "--by", "ada")
    again = operator.reads("pack", "tier", pack["id"], "verified", "--by", "bob")

    assert changed == again
    assert changed == {
        "id": pack["id"],
        "org_id": ACME.org_id,
        "name": "slack",
        "tier": "verified",
        "revision": 2,
    }
    assert service.get(pack["id"]).body["tier"] == "verified"
    assert [found["id"] for found in service.list_packs(GLOBEX, tier="verified").body["packs"]] == [
        pack["id"]
    ]
    entry = service.aws.table.get({"PK": f"PACK#{pack['id']}", "SK": "REV#0000000002"})
    assert entry is not None
    assert (entry["operation"], entry["actor"]) == ("tier", "operator:ada")


def test_the_operator_is_named_as_on_this_machine(
    service: Service, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = service.upload(PackArchive().build()).body
    monkeypatch.setattr("getpass.getuser", lambda: "grace")

    operator.does("pack", "tier", pack["id"], "verified")

    entry = service.aws.table.get({"PK": f"PACK#{pack['id']}", "SK": "REV#0000000002"})
    assert entry is not None
    assert entry["actor"] == "operator:grace"


@pytest.mark.parametrize("pack_id", ["pack_01HZZZZZZZZZZZZZZZZZZZZZZZ", "slack", ""])
def test_there_is_no_tier_without_a_pack(operator: Operator, pack_id: str) -> None:
    assert "no pack" in operator.is_refused(6, "pack", "tier", pack_id, "verified")


def test_a_deletion_that_is_stuck_is_listed_and_retried(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body
    assert operator.reads("deletion", "list") == {"deletions": []}
    service.services.deleter.deletions.begin(
        pack["id"], org_id=ACME.org_id, actor=ACME.principal, if_match=None, now=service.clock.now
    )
    service.aws.queued()

    (deletion,) = operator.reads("deletion", "list")["deletions"]
    assert deletion == {
        "id": pack["id"],
        "org_id": ACME.org_id,
        "name": "slack",
        "asked_at": "2026-03-01T12:00:00.000Z",
        "actor": "key:acme",
    }
    operator.does("deletion", "retry", pack["id"])
    (message,) = service.aws.queued()

    assert json.loads(message)["pack_id"] == pack["id"]
    service.clock.now += timedelta(days=36500)
    assert service.deliver_bodies([message]) == []
    assert operator.gets("deletion", "list") == []
    assert service.get(pack["id"]).status == 404


def test_a_pack_that_nobody_deletes_is_not_helped_along(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body

    assert "not being deleted" in operator.is_refused(6, "deletion", "retry", pack["id"])


def reupload(service: Service, pack_id: str) -> Any:
    body, headers = multipart({"archive": PackArchive(version="1.5.0").build()})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    answer = service.request("reupload_pack", request)
    assert answer.status == 200
    return answer.body


def mirror(service: Service) -> Any:
    """Put what our registry holds into moto's ECR, where these commands look, and return its client."""
    ecr = boto3.client("ecr", region_name="eu-central-1")
    for name, repository in service.registry.shelves.repositories.items():
        ecr.create_repository(repositoryName=name)
        for digest, manifest in repository.manifests.items():
            ecr.put_image(
                repositoryName=name,
                imageManifest=manifest.raw.decode(),
                imageManifestMediaType=manifest.media_type,
                imageDigest=digest,
            )
        for tag, tagged in repository.tags.items():
            raw = repository.manifests[tagged].raw.decode()
            ecr.put_image(repositoryName=name, imageManifest=raw, imageDigest=tagged, imageTag=tag)
    return ecr


def test_what_packs_have_and_had_is_neither_unused_nor_lost(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body
    reupload(service, pack["id"])
    mirror(service)

    assert operator.reads("image", "check") == {"unused": [], "lost": []}
    # There is nothing to agree to, so nobody is asked.
    assert operator.reads("image", "clean-up") == {"enqueued": 0}


def test_statements_about_images_that_packs_have_are_not_unused(service: Service, operator: Operator) -> None:
    service.wire.clients["kms"] = service.services.client("kms")
    pack = service.upload(PackArchive().build()).body
    attesting = Attesting(service)
    attesting.carry()
    mirror(service)

    assert len(attesting.referrers(pack["image_digest"])) == 2
    assert attesting.listed(pack["image_digest"])
    assert operator.reads("image", "check") == {"unused": [], "lost": []}


def test_images_from_after_a_restored_table_s_day_are_found_and_removed(
    service: Service, operator: Operator
) -> None:
    pack = service.upload(PackArchive().build()).body
    day = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]
    changed = reupload(service, pack["id"])
    later = service.upload(PackArchive(name="later").build()).body
    service.clock.advance(timedelta(days=1))
    service.settle()
    restore(service, day)
    mirror(service)

    unused = operator.reads("image", "check")["unused"]
    assert "--yes" in operator.is_refused(2, "image", "clean-up")
    assert operator.reads("image", "clean-up", "--yes") == {"enqueued": 2}
    # The command has the machine's clock, the service the test's.
    service.clock.advance(timedelta(days=36500))
    service.settle()

    assert sorted((image["repository"], image["digests"][0]) for image in unused) == sorted(
        (f"packs/{ACME.org_id}/{name}", digest)
        for name, digest in (("slack", changed["image_digest"]), ("later", later["image_digest"]))
    )
    assert set(service.images()) == {f"packs/{ACME.org_id}/slack"}
    kept = service.images()[f"packs/{ACME.org_id}/slack"]
    assert pack["image_digest"] in kept
    assert changed["image_digest"] not in kept


def test_packs_whose_image_went_after_a_restored_table_s_day_are_named(
    service: Service, operator: Operator
) -> None:
    pack = service.upload(PackArchive().build()).body
    day = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]
    service.delete(pack["id"])
    restore(service, day)
    mirror(service)

    assert operator.reads("image", "check") == {
        "unused": [],
        "lost": [
            {
                "id": pack["id"],
                "org_id": ACME.org_id,
                "name": "slack",
                "version": "1.4.0",
                "image_digest": pack["image_digest"],
            }
        ],
    }


def test_repositories_may_lie_below_a_project(service: Service, operator: Operator) -> None:
    ecr = mirror(service)
    for name in (f"group/project/{ACME.org_id}/slack", f"group/projects/{ACME.org_id}/slack"):
        ecr.create_repository(repositoryName=name)
        ecr.put_image(repositoryName=name, imageManifest='{"mediaType": "", "layers": []}')

    unused = operator.reads("--prefix", "group/project", "image", "check")["unused"]

    assert [image["repository"] for image in unused] == [f"group/project/{ACME.org_id}/slack"]


def test_repositories_of_others_are_left_alone(service: Service, operator: Operator) -> None:
    ecr = mirror(service)
    for name in ("nginx", "packs/nginx", f"packs/{ACME.org_id}/Not-A-Name", f"other/{ACME.org_id}/slack"):
        ecr.create_repository(repositoryName=name.lower())
        ecr.put_image(repositoryName=name.lower(), imageManifest='{"mediaType": "", "layers": []}')

    unused = operator.reads("image", "check")["unused"]

    assert [image["repository"] for image in unused] == [f"packs/{ACME.org_id}/not-a-name"]


def restore(service: Service, day: list[Any]) -> None:
    """Let the table be as it was."""
    table = service.services.settings.table
    for item in service.aws.dynamodb.scan(TableName=table)["Items"]:
        service.aws.dynamodb.delete_item(TableName=table, Key={key: item[key] for key in ("PK", "SK")})
    for item in day:
        service.aws.dynamodb.put_item(TableName=table, Item=item)


def test_dead_letters_are_shown_and_stay(service: Service, operator: Operator, dead_letters: str) -> None:
    for number in range(12):
        service.aws.sqs.send_message(QueueUrl=dead_letters, MessageBody=f"message\n{number}")

    first = operator.reads("dead-letters", "list")["dead_letters"]
    _, *lines = operator.does("dead-letters", "list")

    assert len(first) == len(lines) == 12
    assert {letter["message_id"] for letter in first} == {line.split()[0] for line in lines}
    assert {letter["body"] for letter in first} == {f"message\n{number}" for number in range(12)}


def test_redriven_letters_are_in_their_queue_again(
    service: Service, operator: Operator, dead_letters: str
) -> None:
    service.aws.queued()
    service.aws.sqs.send_message(QueueUrl=dead_letters, MessageBody="do it again")

    assert operator.reads("dead-letters", "redrive") == {"queue": "cleanup", "moved": 1}
    assert operator.gets("dead-letters", "redrive") == ["0"]

    assert service.aws.queued() == ["do it again"]
    assert operator.does("dead-letters", "list") == ["No dead letters."]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        (["org", "show", "acme"], 2, "--table"),
        (["dead-letters", "list"], 2, "--dead-letters"),
        (["--table", "no-such-table", "org", "show", "acme"], 6, "GetItem (ResourceNotFoundException)"),
        (["--stack", "no-such-stack", "org", "show", "acme"], 6, "no stack"),
        (["--stack", "x", "--table", "y", "org", "show", "acme"], 2, "only --stack"),
        (["--endpoint-url", "localhost", "--table", "y", "org", "show", "acme"], 2, "http://127.0.0.1:4566"),
    ],
)
@pytest.mark.usefixtures("service")
def test_a_deployment_that_is_not_there_is_said_to_be(
    packyard: Command, arguments: list[str], exit_code: int, complaint: str
) -> None:
    operator = Operator(packyard, ["--region", "eu-central-1"])

    assert complaint in operator.is_refused(exit_code, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["org"],
        ["org", "create", "acme", "--posture", "rich"],
        ["org", "create", "acme", "--trial-ends", "2026-12-31T00:00:00"],
        ["org", "create", "acme", "--trial-ends", "soon"],
        ["key", "issue", "acme", "--label", "x"],
        ["pack", "tier", "pack_01", "excellent"],
        ["pack", "tier", "pack_01", "verified", "--by", "a b"],
        # The login's options mean nothing here. An operator could take --profile for AWS's.
        ["org", "show", "acme", "--profile", "prod"],
    ],
)
def test_what_is_not_understood_is_wrong_usage(operator: Operator, arguments: list[str]) -> None:
    assert operator.is_refused(2, *arguments)


def test_packs_from_before_are_found_and_their_versions_counted_after_a_rebuild(
    service: Service, operator: Operator
) -> None:
    immutable = replace(ACME, version_policy=VersionPolicy.IMMUTABLE)
    other = PackArchive(version="1.0.0", files={"README.md": b"other"}).build()
    pack = service.upload(PackArchive(version="1.0.0").build()).body["id"]
    gone = service.upload(PackArchive(name="gone", version="1.0.0").build()).body["id"]
    assert service.delete(gone).status == 200
    # Rows of deleted packs expire. An earlier release has written neither index.
    for item in _items(service, f"PACK#{gone}", "VERSION#"):
        if item["SK"]["S"] == "PACK" or item["PK"]["S"].startswith("VERSION#"):
            service.aws.dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in ("PK", "SK")})
    assert service.list_packs(search="slack").body["packs"] == []

    done = [operator.reads("index", "rebuild") for _ in range(2)]

    found = {"packs": 1, "versions": 2, "skipped": 0}
    assert done == [{**found, "scans": 1}, {**found, "scans": 0}]
    assert [found["id"] for found in service.list_packs(search="slack").body["packs"]] == [pack]
    assert service.list_packs(search="gone").body["packs"] == []
    for name in ("slack", "gone"):
        archive = other if name == "slack" else PackArchive(name=name, version="1.0.0", files={}).build()
        answer = _published(service, archive, immutable, pack if name == "slack" else None)
        assert (answer.status, answer.error["code"]) == (409, "version_taken")


def test_a_rebuild_leaves_what_was_published_later(service: Service, operator: Operator) -> None:
    immutable = replace(ACME, version_policy=VersionPolicy.IMMUTABLE)
    first = PackArchive(version="1.0.0").build()
    second = PackArchive(version="1.0.0", files={"README.md": b"second"}).build()
    pack = service.upload(first).body["id"]
    service.clock.advance(timedelta(minutes=1))
    assert _published(service, second, ACME, pack).status == 200

    operator.does("index", "rebuild")

    assert _published(service, second, immutable, pack).status == 200
    assert _published(service, first, immutable, pack).status == 409


def _items(service: Service, *prefixes: str) -> list[Any]:
    items = service.aws.dynamodb.scan(TableName=TABLE)["Items"]
    return [item for item in items if item["PK"]["S"].startswith(prefixes)]


def _published(service: Service, archive: bytes, caller: Caller, pack: str | None) -> Answer:
    if pack is None:
        return service.upload(archive, caller)
    body, headers = multipart({"archive": archive})
    path = f"/packs/{pack}/upload"
    request = Request(
        method="POST",
        resource="/packs/{id}/upload",
        path=path,
        headers=headers,
        body=body,
        caller=caller,
    )
    return service.request("reupload_pack", request)
