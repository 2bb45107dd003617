"""Runs the stack for a user: does the main job once, prints what to try, waits for Ctrl-C."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.emulator import EmulatorFailed
from local.environments import LOCAL, PROJECT
from local.first_push import Pushed, push_and_read_back
from local.interruption import expect_interruption
from local.locks import holding
from local.login_links import WHOSE, login_link
from local.ports import STATES, check_port
from local.programs import find
from local.stack import StackDescription, running_stack

LATEST: Final = LOCAL / "stack.json"


def serve(*, port_text: str, since: float | None, only_check: bool) -> None:
    """Run the stack until somebody interrupts it.

    Args:
        port_text: The port to listen on, as the user wrote it.
        since: When the user started it, in seconds of Unix time; by default now.
        only_check: Whether to stop once the sample pack has been pushed and read back.

    Raises:
        PortUnusable, StackRunning, CommandFailed: It cannot start.
        EmulatorFailed: The emulator ended by itself.
        NotVerified: The sample pack could not be pushed and read back.
    """
    since = since or time.time()
    port = check_port(port_text)
    folder = STATES / str(port)
    with running_stack(folder=folder, port=port) as stack:
        pushed = push_and_read_back(stack)
        print(_shown(stack, pushed, time.time() - since), flush=True)
        if only_check:
            print("\nAll of it worked.", flush=True)
            return
        # Not for a stack that stops at once: the README's commands need one that keeps running.
        _describe_as_latest(folder / "stack.json")
        # Before the message, because its reader may interrupt at once.
        expect_interruption("Saving the state and stopping.")
        links = {whose: login_link(stack, folder, whose) for whose in WHOSE}
        print(_next_steps(stack, folder, links), flush=True)
        # The emulator is the only remaining child. (macOS has no waitid.)
        os.wait()
        raise EmulatorFailed(
            "the emulator has ended by itself; its log may say why. Start it again: what it saved is kept"
        )


def reset() -> None:
    """Delete the data of all local stacks.

    Raises:
        StackRunning: One of them is running.
    """
    for folder in sorted(STATES.glob("*")):
        with holding(folder):
            shutil.rmtree(folder)
    LATEST.unlink(missing_ok=True)


def _describe_as_latest(description: Path) -> None:
    """Make `.local/stack.json` point to the stack that was started last in this folder."""
    link = LOCAL / f"stack.json.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(description.relative_to(LOCAL))
    link.replace(LATEST)


def _shown(stack: StackDescription, pushed: Pushed, seconds: float) -> str:
    standing = "as a new pack" if pushed.is_new else "which was there already"
    files = f"the {pushed.files} files are the ones that were sent"
    if pushed.is_changed:
        standing = "which was there already, with files that you have changed"
        files = f"{pushed.files} files unpack; they are not those of the folder, since you have changed them"
    return f"""
Packyard is ready after {seconds:.0f} s: {stack["api_url"]}

It has done its main job once, with the folder {pushed.folder}, for the organisation "acme":

  accepted  {pushed.name} {pushed.version}, {standing}: {pushed.pack_id}
  built     an OCI image of {pushed.files} files, without Docker
  pushed    {pushed.image_ref}
  pinned    {pushed.image_digest}
  verified  read back from the registry by that digest: {pushed.blobs} blobs match their SHA-256,
            and {files}"""


def _next_steps(stack: StackDescription, folder: Path, links: Mapping[str, str]) -> str:
    shown = "\n".join(f"  {whose:<9} {link}" for whose, link in links.items())
    key = stack["orgs"]["acme"]["keys"]["full_access"]
    log = os.path.relpath(folder / "emulator.log")
    return f"""
Push it yourself, or your own folder with a pack.yaml, from another terminal in this folder:

  tar -cz -C examples hello-pack | {_curl()} -sS -H 'Authorization: Bearer {key}' \\
    -F 'archive=@-;filename=hello-pack.tar.gz' {stack["api_url"]}/packs/upload

Look around in a browser; each link signs in once, within a day:

{shown}

Every operation, described: {stack["api_url"]}/docs
Organisations and their API keys: {os.path.relpath(folder / "stack.json")}
Log: {log}
Ctrl-C stops it. What it holds is kept until `make reset`."""


def _curl() -> str:
    found = find("curl")
    return os.path.relpath(found) if found and found.is_relative_to(PROJECT) else "curl"
