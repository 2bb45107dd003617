"""Uploads: a folder that is dropped, an archive that is chosen, faults at their lines, and a lost connection."""

import io
import os
import re
import tarfile
from pathlib import Path

import yaml
from playwright.sync_api import Locator, Route, expect
from tests.e2e.console.scene import READS, Scene
from tests.e2e.console.tab import Tab


def folder(place: Path, **fields: object) -> Path:
    """Write a pack's folder."""
    root = place / "dropped"
    (root / "guides").mkdir(parents=True)
    manifest = {"name": "dropped", "version": "1.0.0", **fields}
    (root / "pack.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    (root / "guides" / "start.md").write_text("# Start\n")
    (root / ".DS_Store").write_bytes(b"litter")
    return root


def drop(tab: Tab, path: Path) -> None:
    """Drop a file or a folder of this machine on the page, as the desktop does."""
    session = tab.page.context.new_cdp_session(tab.page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})
    session.detach()


def chosen(tab: Tab) -> Locator:
    return tab.main.get_by_role("region", name="What was chosen")


def test_a_dropped_folder_is_checked_and_published(tab: Tab, scene: Scene, tmp_path: Path) -> None:
    tab.go("upload", "Upload a pack")
    drop(tab, folder(tmp_path, capabilities=[READS]))
    expect(chosen(tab)).to_contain_text("2 files")
    expect(chosen(tab)).to_contain_text("1 file left out")

    chosen(tab).get_by_role("button", name="Check it").click()
    expect(tab.main.get_by_text("The service would take it.")).to_be_visible()
    expect(tab.main.get_by_text("Files: 2 added")).to_be_visible()
    assert scene.client.call("GET", "/packs?search=dropped").body["packs"] == []

    chosen(tab).get_by_role("button", name="Publish").click()
    expect(tab.main.get_by_text("It is published.")).to_be_visible()
    tab.main.get_by_role("link", name="Look at it").click()
    tab.has_heading("dropped")


def test_a_fault_is_shown_at_its_line(tab: Tab, tmp_path: Path) -> None:
    tab.may_fail = True
    tab.go("upload", "Upload a pack")
    drop(tab, folder(tmp_path, description="One.", categroy="messaging"))
    chosen(tab).get_by_role("button", name="Check it").click()

    file = tab.main.get_by_role("region", name="pack.yaml")
    expect(file).to_contain_text("Line 4")
    expect(file).to_contain_text("did you mean category?")
    expect(file.locator(".excerpt-line.here")).to_contain_text("categroy: messaging")


def test_what_is_no_pack_is_said_before_anything_is_sent(tab: Tab, tmp_path: Path) -> None:
    tab.go("upload", "Upload a pack")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "notes.txt").write_text("x")
    drop(tab, tmp_path / "nothing")

    expect(tab.main.get_by_role("region", name="This is not a pack yet")).to_contain_text("pack.yaml")
    expect(chosen(tab).get_by_role("button", name="Publish")).to_be_disabled()
    assert [request.url for request in tab.requests if request.method == "POST"] == []


def test_a_large_archive_survives_a_lost_connection(tab: Tab, scene: Scene, tmp_path: Path) -> None:
    archive = tmp_path / "large.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name, content in {
            "pack.yaml": b"name: large\nversion: 1.0.0\n",
            "data/noise.bin": os.urandom(5_000_000),
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    tab.may_fail = True
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.abort("connectionreset")

    bucket = re.compile(f"/{scene.client.stack['bucket']}$")
    tab.page.route(bucket, lose_the_first)
    tab.go("upload", "Upload a pack")
    tab.main.get_by_label("Choose an archive").set_input_files(archive)
    chosen(tab).get_by_role("button", name="Publish").click()

    expect(tab.main.get_by_role("status").filter(has_text="The connection is lost.")).to_be_visible()
    expect(tab.page).to_have_url(re.compile(r"#/upload\?upload="))
    expect(tab.main.get_by_text("It is published.")).to_be_visible(timeout=60_000)
    assert len(lost) == 1
    found = scene.client.call("GET", "/packs?search=large").body["packs"]
    assert [pack["name"] for pack in found] == ["large"]
    tab.page.unroute(bucket)
