import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.command import Command, pack_folder, received
from tests.service import ACME, Service

from packyard_cli.wire import Received, Unreached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _pushed(packyard: Command, folder: Path, *options: str) -> dict[str, Any]:
    ran = packyard("push", "--json", folder, *options)
    assert ran.exit_code == 0, ran.out
    document: dict[str, Any] = ran.document
    return document


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - content that does not compress


def test_a_first_push_makes_a_pack_and_prints_its_pinned_reference(packyard: Command, tmp_path: Path) -> None:
    ran = packyard("push", pack_folder(tmp_path / "pack"))

    assert ran.exit_code == 0, ran.err
    (line,) = ran.out.splitlines()
    shown = packyard("show", "--json", "slack").document
    assert line == f"{shown['image_ref'].removesuffix(':1.4.0')}@{shown['image_digest']}"
    assert ran.err.startswith("slack 1.4.0 is a new pack of your organisation.\n")


def test_a_second_push_sends_what_changed_alone(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(
        tmp_path / "pack", data__a_csv="a\n" * 9999, data__b_csv="b\n" * 9999, scripts__x_sh="x"
    )
    _pushed(packyard, folder)
    (folder / "data" / "b.csv").unlink()
    (folder / "guides" / "new.md").write_text("new\n")
    (folder / "scripts" / "x.sh").chmod(0o755)
    (folder / "pack.yaml").write_text(
        "name: slack\nversion: 1.5.0\ncapabilities:\n  - name: api\n    type: http\n"
    )

    ran = packyard("push", folder)

    assert ran.err.splitlines()[1:] == [
        "~ version 1.4.0 to 1.5.0",
        "+ capability api: no rules, so the runtime decides what its type http allows",
        "! More is allowed than before.",
        "! A role moves to this revision only with consent.",
        "+ guides/new.md (4 B)",
        "- data/b.csv",
        "~ pack.yaml (27 B to 70 B)",
        "~ scripts/x.sh (now executable)",
        "The pack has 5 files, 19.6 KiB of 1.0 GiB.",
        "To send: 3 files, 75 B.",
    ]
    assert packyard.gateway.paths("POST")[-1].endswith("/changes")
    assert packyard.gateway.headers[-1]["If-Match"] == '"1"'
    listed = packyard("files", "-q", "slack").out.split()
    assert sorted(listed) == ["data/a.csv", "guides/new.md", "guides/post.md", "pack.yaml", "scripts/x.sh"]
    assert packyard("diff", folder).out == "Nothing differs.\n"


def test_a_push_says_what_capabilities_allow_before_it_sends(packyard: Command, tmp_path: Path) -> None:
    def wanting(rules: str) -> str:
        return (
            f"name: slack\nversion: 1.4.0\ncapabilities:\n  - name: api\n    type: http\n    allow:\n{rules}"
        )

    read = "      - {domains: [slack.com], methods: [GET], paths: [/api/*]}\n"
    write = "      - {domains: [slack.com], methods: [POST]}\n"
    folder = pack_folder(tmp_path / "pack", pack_yaml=wanting(read))
    first = packyard("push", folder)
    (folder / "pack.yaml").write_text(wanting(read + write))
    wider = packyard("push", folder)
    difference = packyard("diff", folder, "--json").document
    (folder / "pack.yaml").write_text(wanting(write + read))
    same = packyard("push", folder)
    (folder / "pack.yaml").write_text(wanting(write))
    narrower = packyard("push", folder, "--json")

    shown = [
        [line for line in ran.err.splitlines() if "capability" in line or "!" in line]
        for ran in (first, wider, same)
    ]
    assert shown == [
        ["+ capability api: GET to slack.com, paths /api/*"],
        [
            "+ capability api: POST to slack.com, every path",
            "! Newly allowed, for example: POST https://slack.com/",
            "! A role moves to this revision only with consent.",
        ],
        ["~ capability api: other text, the same requests are allowed"],
    ]
    assert difference["capabilities"] == {"widened": False, "added": [], "removed": []}
    told = narrower.document["capabilities"]
    assert (told["widened"], [rule["methods"] for rule in told["removed"]]) == (False, [["GET"]])


def test_a_push_of_the_same_sends_nothing(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    first = _pushed(packyard, folder)

    second = _pushed(packyard, folder)

    assert (second["changed"], second["sent_bytes"]) == (False, 0)
    assert second["reference"] == first["reference"]
    assert packyard.gateway.paths("POST") == ["/packs/upload"]


def test_quiet_prints_the_reference_alone(packyard: Command, tmp_path: Path) -> None:
    ran = packyard("push", "-q", pack_folder(tmp_path / "pack"))

    assert ran.err == ""
    assert "@sha256:" in ran.out
    assert len(ran.out.splitlines()) == 1


def test_a_folder_that_goes_is_deleted_by_one_path(packyard: Command, tmp_path: Path) -> None:
    many = {f"data__old__f{number}_csv": "x" for number in range(20)}
    folder = pack_folder(tmp_path / "pack", **many, data__kept_csv="x")
    _pushed(packyard, folder)
    for place in (folder / "data" / "old").iterdir():
        place.unlink()
    (folder / "data" / "old").rmdir()

    again = _pushed(packyard, folder)

    assert len(again["files"]["removed"]) == 20
    assert again["sent_bytes"] == 0
    listed = packyard("files", "-q", "slack").out.split()
    assert sorted(listed) == ["data/kept.csv", "guides/post.md", "pack.yaml"]


def test_a_large_pack_goes_by_way_of_the_bucket(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "data").mkdir()
    (folder / "data" / "noise").write_bytes(_noise(4_500_000))

    made = _pushed(packyard, folder, "--visibility", "community")

    assert made["pack"]["visibility"] == "community"
    assert packyard.gateway.paths("POST")[0] == "/packs/uploads"
    assert not list((tmp_path / "home" / "cache" / "uploads").iterdir())


def test_large_changes_go_by_way_of_the_bucket_too(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack", data__old_csv="x")
    first = _pushed(packyard, folder)
    (folder / "data" / "old.csv").unlink()
    (folder / "data" / "noise").write_bytes(_noise(4_500_000))

    again = _pushed(packyard, folder)

    assert again["pack"]["id"] == first["pack"]["id"]
    listed = packyard("files", "-q", "slack").out.split()
    assert sorted(listed) == ["data/noise", "guides/post.md", "pack.yaml"]


def test_a_deployment_that_takes_less_inline_gets_the_archive_staged(
    packyard: Command, tmp_path: Path
) -> None:
    refusal = {"error": {"code": "payload_too_large", "message": "Too large.", "request_id": "r"}}
    packyard.gateway.instead("POST", r"/packs/upload$", lambda _: received(413, refusal))

    made = _pushed(packyard, pack_folder(tmp_path / "pack"))

    assert made["created"]
    assert packyard.gateway.paths("POST")[:2] == ["/packs/upload", "/packs/uploads"]


def test_a_push_that_was_interrupted_while_the_service_built_goes_on_with_it(
    packyard: Command, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "data").mkdir()
    (folder / "data" / "noise").write_bytes(_noise(4_500_000))

    def interrupted(before: int) -> Received | None:
        if before == 0:
            raise KeyboardInterrupt
        return None

    packyard.gateway.instead("GET", r"/packs/uploads/", interrupted)
    first = packyard("push", folder)
    sent = len(packyard.gateway.paths("POST"))
    # The pack has come to stand meanwhile, so that there is nothing to send.
    second = packyard("push", folder)

    assert (first.exit_code, second.exit_code) == (130, 0)
    assert len(packyard.gateway.paths("POST")) == sent


def test_an_upload_that_was_begun_takes_the_archive_of_the_next_try(
    packyard: Command, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "data").mkdir()
    (folder / "data" / "noise").write_bytes(_noise(4_500_000))

    def cut_off(before: int) -> Received | None:
        if before < 5:
            raise Unreached("The connection broke off.")
        return None

    packyard.gateway.instead("POST", r"^(?!https://acme\.packyard)", cut_off)
    first = packyard("push", folder)
    second = packyard("push", folder)

    assert (first.exit_code, second.exit_code) == (8, 0), second.err
    assert "Going on with the upload that was begun before." in second.err
    assert packyard.gateway.paths("POST").count("/packs/uploads") == 1


def test_a_push_whose_answer_is_lost_is_repeated_with_the_same_key(packyard: Command, tmp_path: Path) -> None:
    def lost(before: int) -> Received | None:
        if before == 0:
            packyard.gateway.answers.clear()
            url, headers = packyard.gateway.sent[-1][1], packyard.gateway.headers[-1]
            packyard.gateway.send("POST", url, headers=headers, body=bodies[0])
            raise Unreached("The answer was cut off.")
        return None

    bodies: list[bytes] = []
    real = packyard.gateway.send

    def keeping(method: str, url: str, **more: Any) -> Received:
        body = more.pop("body", None)
        content = body if isinstance(body, bytes) or body is None else body.read()
        if url.endswith("/packs/upload"):
            bodies.append(content or b"")
        return real(method, url, body=content, **more)

    packyard.gateway.send = keeping  # type: ignore[method-assign]
    packyard.gateway.instead("POST", r"/packs/upload$", lost)

    made = _pushed(packyard, pack_folder(tmp_path / "pack"))

    keys = [headers.get("Idempotency-Key") for headers in packyard.gateway.headers]
    assert len({key for key in keys if key}) == 1
    assert made["created"]
    assert packyard("revisions", "-q", "slack").out.split() == ["1"]


def test_a_push_is_refused_if_somebody_changed_the_pack_meanwhile(
    packyard: Command, service: Service, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack")
    pack_id = _pushed(packyard, folder)["pack"]["id"]
    (folder / "guides" / "post.md").write_text("other\n")

    def meanwhile(before: int) -> Received | None:
        if before == 0:
            service.update(pack_id, "community", ACME)
        return None

    packyard.gateway.instead("POST", r"/changes$", meanwhile)
    ran = packyard("push", folder)

    assert ran.exit_code == 7
    assert "Somebody changed it meanwhile" in ran.err
    assert packyard("push", folder).exit_code == 0


def test_faults_are_found_before_anything_is_sent(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "bin").mkdir()
    (folder / "bin" / "x").write_text("x")

    ran = packyard("push", folder)

    assert ran.exit_code == 3
    assert "bin: is not one of" in ran.err
    assert packyard.gateway.sent == []


def test_a_failed_build_says_what_the_service_said(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "data").mkdir()
    (folder / "data" / "noise").write_bytes(_noise(4_500_000))
    error = {"code": "registry_unavailable", "message": "The registry did not answer.", "request_id": "upl_1"}
    status = {"upload_id": "upl_1", "status": "failed", "error": error}
    packyard.gateway.instead("GET", r"/packs/uploads/", lambda _: received(200, status))

    ran = packyard("push", "--json", folder)

    assert ran.exit_code == 8
    assert ran.document["error"]["code"] == "registry_unavailable"
    assert ran.document["error"]["request_id"] == "upl_1"


def test_watching_pushes_again_after_a_change_and_goes_on_after_a_fault(
    packyard: Command, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack")
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: (folder / "pack.yaml").write_text("name: slack\nversion: 2\n"),
            lambda: None,
            lambda: (folder / "pack.yaml").write_text("name: slack\nversion: 2.0.0\n"),
            lambda: None,
        ]
    )

    def step(_: float) -> None:
        change = next(steps, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    packyard.sleep = step

    ran = packyard("push", "--watch", folder)

    assert ran.exit_code == 0
    assert "write 2.0.0" in ran.err
    assert ran.out.count("@sha256:") == 2
    assert packyard("show", "--json", "slack").document["version"] == "2.0.0"


@pytest.mark.parametrize("visibility", ["org", "community"])
def test_the_visibility_of_a_pack_that_stands_is_not_changed_by_the_way(
    packyard: Command, tmp_path: Path, visibility: str
) -> None:
    folder = pack_folder(tmp_path / "pack")
    _pushed(packyard, folder, "--visibility", "org")

    ran = packyard("push", "--visibility", visibility, folder)

    assert ("The visibility stays" in ran.err) == (visibility == "community")
    assert packyard("show", "--json", "slack").document["visibility"] == "org"


@pytest.mark.parametrize("large", [False, True])
def test_a_dry_run_says_what_would_come_and_keeps_nothing(
    packyard: Command, tmp_path: Path, large: bool
) -> None:
    folder = pack_folder(tmp_path / "pack")
    if large:
        (folder / "data").mkdir(exist_ok=True)
        (folder / "data" / "noise").write_bytes(_noise(5 << 20))
    tried = packyard("push", "--json", "--dry-run", folder)
    kept = packyard("list", "--json", "--owned").document["packs"]
    pushed = _pushed(packyard, folder)
    (folder / "guides" / "post.md").write_text("# Changed\n")
    again = packyard("push", "--dry-run", folder)
    changed = _pushed(packyard, folder)

    assert tried.exit_code == again.exit_code == 0, (tried.err, again.err)
    assert kept == []
    assert (tried.document["dry_run"], tried.document["outcome"]) == (True, "created")
    assert tried.document["pack"]["image_digest"] == pushed["pack"]["image_digest"]
    assert "Nothing was kept. slack 1.4.0 would be changed: " in again.out
    assert changed["reference"] in again.out
