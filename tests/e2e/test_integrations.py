"""The GitHub Action and the GitLab component against the deployed stack."""

from pathlib import Path

from local.stack import StackDescription
from tests.command import pack_folder
from tests.e2e.client import Client
from tests.pipelines import run_action, run_job


def test_a_release_pushes_the_pack_and_answers_the_pinned_reference(
    acme: Client, stack: StackDescription, tmp_path: Path
) -> None:
    workspace = tmp_path / "repository"
    pack_folder(workspace / "packs" / "released", name="released")
    url, token = stack["api_url"], stack["orgs"]["acme"]["keys"]["full_access"]
    inputs = {"folder": "packs/released", "url": url, "token": token, "visibility": "community"}

    pushed = run_action(workspace, inputs, event="release", ref_type="tag")
    again = run_job(
        "packyard-push",
        workspace,
        {"folder": "packs/released", "visibility": "community"},
        {"PACKYARD_URL": url, "PACKYARD_TOKEN": token},
    )

    assert pushed.exit_code == 0, pushed.log
    assert again.exit_code == 0, again.log
    (pack,) = acme.call("GET", "/packs?owned=true&q=released").body["packs"]
    reference = f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"
    assert pack["visibility"] == "community"
    assert pushed.outputs == {"command": "push", "reference": reference}
    assert again.outputs == {"PACKYARD_REFERENCE": reference}
    assert not any(token in ended.log for ended in (pushed, again))
