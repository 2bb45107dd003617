"""The operator's commands, through their command line, against moto."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from console.command_line import main
from tests.gateway import Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service

from packyard.http.authorizer import Unauthorized
from packyard.tenants.caller import SCOPES

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"


class Operator:
    """Somebody at a terminal.

    Attributes:
        where: The options that say which deployment.
        said: What the last command printed, line by line.
        complained: What it printed to standard error.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str], where: list[str]) -> None:
        self._capsys = capsys
        self.where = where
        self.said: list[str] = []
        self.complained = ""

    def run(self, *arguments: str) -> int:
        self._capsys.readouterr()
        status = main([*self.where, *arguments])
        captured = self._capsys.readouterr()
        self.said, self.complained = captured.out.splitlines(), captured.err
        return status

    def does(self, *arguments: str) -> list[str]:
        assert self.run(*arguments) == 0, self.complained
        return self.said

    def is_refused(self, *arguments: str) -> str:
        assert self.run(*arguments) == 1
        assert not self.said
        return self.complained

    def org(self, slug: str = "acme", *options: str) -> str:
        (org_id,) = self.does("org", "create", slug, *options)
        return org_id

    def key(self, org: str = "acme", *options: str) -> str:
        (secret,) = self.does(
            "key", "issue", org, "--label", "ci", "--permission-set", "full_access", *options
        )
        return secret


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
def operator(service: Service, dead_letters: str, capsys: pytest.CaptureFixture[str]) -> Operator:
    settings = service.services.settings
    parts = ["--table", settings.table, "--queue", settings.cleanup_queue_url, "--dead-letters", dead_letters]
    return Operator(capsys, ["--region", "eu-central-1", *parts])


def authorize(service: Service, secret: str) -> Any:
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret}", "methodArn": METHOD_ARN}
    return service.invoke("authorize", event)["context"]


def test_a_new_organisation_s_new_key_opens_the_api(service: Service, operator: Operator) -> None:
    org_id = operator.org("acme")
    secret = operator.key("acme")

    context = authorize(service, secret)

    assert (context["org_id"], context["org_slug"]) == (org_id, "acme")
    assert (context["scopes"], context["may_create"]) == (" ".join(sorted(SCOPES)), "true")


def test_organisations_are_found_by_id_and_by_slug(operator: Operator) -> None:
    org_id = operator.org("acme", "--platform")

    expected = [f"{org_id}\tacme\tactive\tplatform"]
    assert operator.does("org", "show", "acme") == operator.does("org", "show", org_id) == expected


def test_a_slug_goes_to_one_organisation(operator: Operator) -> None:
    org_id = operator.org("acme")

    assert org_id in operator.is_refused("org", "create", "acme")


@pytest.mark.parametrize("slug", ["Acme", "acme.example", "a" * 64, "", "acme\n"])
def test_a_slug_must_fit_into_a_host_s_name(operator: Operator, slug: str) -> None:
    assert "slug" in operator.is_refused("org", "create", slug)


def test_the_posture_decides_about_creating(service: Service, operator: Operator) -> None:
    operator.org("acme", "--posture", "trial", "--trial-ends", "2026-03-01T13:00:00Z")
    secret = operator.key("acme")
    assert authorize(service, secret)["may_create"] == "true"

    (line,) = operator.does("org", "posture", "acme", "past_due")

    assert line.endswith("past_due")
    assert authorize(service, secret)["may_create"] == "false"


def test_a_trial_s_end_is_set_and_taken_away(operator: Operator) -> None:
    org_id = operator.org("acme")

    (ends,) = operator.does("org", "posture", "acme", "trial", "--trial-ends", "2026-12-31T00:00:00+01:00")
    (endless,) = operator.does("org", "posture", "acme", "trial")

    assert ends == f"{org_id}\tacme\ttrial\ttrial ends 2026-12-30T23:00:00.000Z"
    assert endless == f"{org_id}\tacme\ttrial"


def test_a_secret_is_shown_once_and_kept_nowhere(service: Service, operator: Operator) -> None:
    operator.org("acme")
    secret = operator.key("acme")

    listed = operator.does("key", "list", "acme")
    kept = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]

    assert len(listed) == 1
    assert secret not in str(listed)
    assert secret not in str(kept)


def test_keys_are_listed_with_what_they_allow_and_until_when(operator: Operator) -> None:
    operator.org("acme")
    operator.does("key", "issue", "acme", "--label", "Ada's laptop", "--permission-set", "read_only")
    operator.key("acme", "--expires", "2030-01-01T00:00:00Z")

    first, second = operator.does("key", "list", "acme")

    assert first.split("\t")[1::2] == ["read_only", "Ada's laptop"]
    assert second.endswith("ci\texpires 2030-01-01T00:00:00.000Z")


def test_a_revoked_key_opens_nothing_and_stays_on_record(service: Service, operator: Operator) -> None:
    operator.org("acme")
    secret = operator.key("acme")
    (line,) = operator.does("key", "list", "acme")
    key_id = line.split("\t")[0]
    assert authorize(service, secret)["principal"] == key_id
    service.clock.advance(timedelta(days=36500))

    (revoked,) = operator.does("key", "revoke", "acme", key_id)

    assert operator.does("key", "revoke", "acme", key_id.removeprefix("key:")) == [revoked]
    assert operator.does("key", "list", "acme") == [revoked]
    with pytest.raises(Unauthorized):
        authorize(service, secret)


def test_a_key_is_revoked_for_its_own_organisation_only(operator: Operator) -> None:
    operator.org("acme")
    operator.org("globex")
    operator.key("acme")
    (line,) = operator.does("key", "list", "acme")

    assert "no key" in operator.is_refused("key", "revoke", "globex", line.split("\t")[0])
    assert operator.does("key", "list", "globex") == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["org", "show", "nobody"], id="showing"),
        pytest.param(["org", "posture", "org_01hzzzzzzzzzzzzzzzzzzzzzz0", "active"], id="its posture"),
        pytest.param(
            ["key", "issue", "nobody", "--label", "x", "--permission-set", "read_only"], id="issuing"
        ),
        pytest.param(["key", "list", "nobody"], id="listing"),
        pytest.param(["key", "revoke", "nobody", "key:0"], id="revoking"),
    ],
)
def test_nothing_is_done_for_an_organisation_that_is_not_there(
    operator: Operator, arguments: list[str]
) -> None:
    assert "no organisation" in operator.is_refused(*arguments)


@pytest.mark.parametrize("label", ["", "x" * 121, "two\nlines"])
def test_a_label_is_one_printable_line(operator: Operator, label: str) -> None:
    operator.org("acme")

    assert "label" in operator.is_refused(
        "key", "issue", "acme", "--label", label, "--permission-set", "read_only"
    )


def test_a_tier_is_the_pack_s_next_revision_and_in_its_history(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build(), visibility="community").body

    (line,) = operator.does("pack", "tier", pack["id"], "verified", "--by", "ada")
    again = operator.does("pack", "tier", pack["id"], "verified", "--by", "bob")

    assert again == [line] == [f"{pack['id']}\tslack\tverified\trevision 2"]
    assert service.get(pack["id"]).body["tier"] == "verified"
    assert [found["id"] for found in service.list_packs(GLOBEX, tier="verified").body["packs"]] == [
        pack["id"]
    ]
    entry = service.aws.table.get({"PK": f"PACK#{pack['id']}", "SK": "REV#0000000002"})
    assert entry is not None
    assert (entry["operation"], entry["actor"]) == ("tier", "operator:ada")


@pytest.mark.parametrize("pack_id", ["pack_01HZZZZZZZZZZZZZZZZZZZZZZZ", "slack", ""])
def test_there_is_no_tier_without_a_pack(operator: Operator, pack_id: str) -> None:
    assert "no pack" in operator.is_refused("pack", "tier", pack_id, "verified")


def test_a_deletion_that_is_stuck_is_listed_and_retried(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body
    assert operator.does("deletion", "list") == []
    service.services.deleter.deletions.begin(
        pack["id"], org_id=ACME.org_id, actor=ACME.principal, if_match=None, now=service.clock.now
    )
    service.aws.queued()

    (line,) = operator.does("deletion", "list")
    assert line == f"{pack['id']}\t{ACME.org_id}\tslack\t2026-03-01T12:00:00.000Z\tkey:acme"
    operator.does("deletion", "retry", pack["id"])
    (message,) = service.aws.queued()

    assert json.loads(message)["pack_id"] == pack["id"]
    service.clock.now += timedelta(days=36500)
    assert service.deliver_bodies([message]) == []
    assert operator.does("deletion", "list") == []
    assert service.get(pack["id"]).status == 404


def test_a_pack_that_nobody_deletes_is_not_helped_along(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body

    assert "not being deleted" in operator.is_refused("deletion", "retry", pack["id"])


def reupload(service: Service, pack_id: str) -> Any:
    body, headers = multipart({"archive": PackArchive(version="1.5.0").build()})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    answer = service.request("reupload_pack", request)
    assert answer.status == 200
    return answer.body


def mirror(service: Service) -> Any:
    """Put what our registry holds into moto's ECR, which is where the console looks, and return its client."""
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
    return ecr


def test_what_packs_have_and_had_is_neither_unused_nor_lost(service: Service, operator: Operator) -> None:
    pack = service.upload(PackArchive().build()).body
    reupload(service, pack["id"])
    mirror(service)

    assert operator.does("image", "check") == []
    assert operator.does("image", "clean-up") == ["0 on their way out; `image check` shows what is left"]


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

    unused = operator.does("image", "check")
    operator.does("image", "clean-up")
    # The console has the machine's clock, the service the test's.
    service.clock.advance(timedelta(days=36500))
    service.settle()

    assert sorted(line.split("\t") for line in unused) == sorted(
        ["unused", f"packs/{ACME.org_id}/{name}", digest]
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

    assert operator.does("image", "check") == [
        f"lost\t{pack['id']}\t{ACME.org_id}\tslack\t1.4.0\t{pack['image_digest']}"
    ]


def test_repositories_may_lie_below_a_project(service: Service, operator: Operator) -> None:
    ecr = mirror(service)
    for name in (f"group/project/{ACME.org_id}/slack", f"group/projects/{ACME.org_id}/slack"):
        ecr.create_repository(repositoryName=name)
        ecr.put_image(repositoryName=name, imageManifest='{"mediaType": "", "layers": []}')

    unused = operator.does("--prefix", "group/project", "image", "check")

    assert [line.split("\t")[1] for line in unused] == [f"group/project/{ACME.org_id}/slack"]


def test_repositories_of_others_are_left_alone(service: Service, operator: Operator) -> None:
    ecr = mirror(service)
    for name in ("nginx", "packs/nginx", f"packs/{ACME.org_id}/Not-A-Name", f"other/{ACME.org_id}/slack"):
        ecr.create_repository(repositoryName=name.lower())
        ecr.put_image(repositoryName=name.lower(), imageManifest='{"mediaType": "", "layers": []}')

    assert [line.split("\t")[1] for line in operator.does("image", "check")] == [
        f"packs/{ACME.org_id}/not-a-name"
    ]


def restore(service: Service, day: list[Any]) -> None:
    """Let the table be as it was."""
    table = service.services.settings.table
    for item in service.aws.dynamodb.scan(TableName=table)["Items"]:
        service.aws.dynamodb.delete_item(TableName=table, Key={key: item[key] for key in ("PK", "SK")})
    for item in day:
        service.aws.dynamodb.put_item(TableName=table, Item=item)


def test_dead_letters_are_shown_and_stay(service: Service, operator: Operator, dead_letters: str) -> None:
    for number in range(12):
        service.aws.sqs.send_message(QueueUrl=dead_letters, MessageBody=f"message {number}")

    first, second = (operator.does("dead-letters", "list") for _ in range(2))

    assert len(first) == 12
    assert sorted(first) == sorted(second)
    assert {line.split("\t")[2] for line in first} == {f"message {number}" for number in range(12)}


def test_redriven_letters_are_in_their_queue_again(
    service: Service, operator: Operator, dead_letters: str
) -> None:
    service.aws.queued()
    service.aws.sqs.send_message(QueueUrl=dead_letters, MessageBody="do it again")

    assert operator.does("dead-letters", "redrive") == ["1 sent back to the cleanup queue"]
    assert operator.does("dead-letters", "redrive") == ["0 sent back to the cleanup queue"]

    assert service.aws.queued() == ["do it again"]
    assert operator.does("dead-letters", "list") == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["org", "show", "acme"], "--table"),
        (["dead-letters", "list"], "--dead-letters"),
        (["--table", "no-such-table", "org", "show", "acme"], "ResourceNotFoundException"),
        (["--stack", "no-such-stack", "org", "show", "acme"], "no stack"),
    ],
)
@pytest.mark.usefixtures("service")
def test_a_deployment_that_is_not_there_is_said_to_be(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert complaint in Operator(capsys, ["--region", "eu-central-1"]).is_refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["org"],
        ["org", "create", "acme", "--posture", "rich"],
        ["org", "create", "acme", "--trial-ends", "2026-12-31T00:00:00"],
        ["key", "issue", "acme", "--label", "x"],
        ["pack", "tier", "pack_01", "excellent"],
        ["pack", "tier", "pack_01", "verified", "--by", "a b"],
    ],
)
def test_what_is_not_understood_ends_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err
