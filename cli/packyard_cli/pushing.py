"""`packyard push`: publishes a folder, by sending what the service has not."""

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from packyard.packs.manifest.version import Version
from packyard.packs.manifest.version_text import parse_version
from packyard_cli.archive import source_date_epoch, write_archive
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.packing import valid_folder
from packyard_cli.plan import Plan, make_plan
from packyard_cli.policies import say_next_version
from packyard_cli.result import Result, size_text
from packyard_cli.sending import Sender
from packyard_cli.service import Service
from packyard_cli.skill_folders import skill_folders
from packyard_cli.standing import StandingPack

_IN_MEMORY: Final = 8 << 20
_SECONDS: Final = 1.0


def push(options: argparse.Namespace, context: Context) -> Result:
    """Publish a folder, once or after every change.

    Raises:
        Failure: The folder is not a pack, or the service refused it.
    """
    with ExitStack() as held:
        root = _folder(options, held)
        folders = skill_folders(root)
        service = _service(folders, options, context)
        if not options.watch:
            return _publish_each(folders, options, context, service)
        return _watch(root, options, context, service)


def _folder(options: argparse.Namespace, held: ExitStack) -> Path:
    """Return the folder to publish; of an archive, a temporary one with its files."""
    root = Path(options.folder)
    if not root.is_file():
        return root
    if options.watch:
        raise Failure(
            Exit.USAGE, f"{root} is an archive, which is not watched.", "Unpack it, and watch the folder."
        )
    from packyard_cli.unpacked import unpack  # noqa: PLC0415 - archives only

    place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="packyard-push-")))
    with root.open("rb") as archive:
        left_out = unpack(archive, place, what=str(root))
    for name, why in left_out.items():
        raise Failure(
            Exit.INVALID,
            f"{root} holds {name}, which {why}.",
            "Unpack it, and push the folders that you want.",
        )
    entries = list(place.iterdir())
    # GitHub's have a folder around everything.
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else place


def _publish_each(
    folders: Sequence[Path], options: argparse.Namespace, context: Context, service: Service
) -> Result:
    if len(folders) == 1:
        return publish(folders[0], options, context, service)
    from packyard_cli.pushing_all import Candidate, push_all  # noqa: PLC0415 - several only

    candidates = [Candidate(source=str(folder), folder=folder) for folder in folders]
    return push_all(candidates, options, context, service)


def _watch(root: Path, options: argparse.Namespace, context: Context, service: Service) -> Result:
    result = None
    try:
        while True:
            seen = _seen(root)
            try:
                result = _publish_each(skill_folders(root), options, context, service)
                context.printer.answer(result)
            except Failure as failure:
                context.printer.failure(failure)
            context.printer.note(f"Watching {root}; Ctrl-C ends it.")
            _wait_for_change(root, seen, context)
    except KeyboardInterrupt:
        return Result(document=result.document if result else {}, lines=["No longer watching."])


def _service(folders: Sequence[Path], options: argparse.Namespace, context: Context) -> Service:
    """Return the service with the login that there is, or else with a key for the token of this job."""
    if context.profiles().login(profile=context.profile, url=context.url).token is not None:
        return context.service()
    from packyard_cli.ci_login import publishing_service  # noqa: PLC0415 - only without a login

    if len(folders) > 1:
        raise Failure(
            Exit.NOT_SIGNED_IN,
            "The token of a job is good for one pack, and this folder holds several skills.",
            "Push each of their folders, or log in with packyard login.",
        )
    _, manifest = valid_folder(folders[0], options.exclude, context, as_archive=False)
    return publishing_service(context, manifest.name)


def publish(folder: Path, options: argparse.Namespace, context: Context, service: Service) -> Result:
    """Publish one folder.

    Raises:
        Failure: The folder is not a pack, or the service refused it.
    """
    plan = make_plan(folder, options.exclude, context, service, version=_version(options.skill_version))
    for line in plan.lines():
        context.printer.note(line)
    if plan.pack is not None and options.visibility not in {None, plan.pack.view["visibility"]}:
        name = plan.manifest.name
        context.printer.note(
            f"The visibility stays: packyard visibility {name} {options.visibility} changes it."
        )
    if plan.pack is not None and not plan.changes_something:
        return _result(plan, plan.pack, sent=0, changed=False)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as archive:
        progress = context.progress("Packing", plan.sent_bytes)
        try:
            epoch = source_date_epoch(context.environment)
            written = write_archive(archive, plan.sent, epoch=epoch, on_bytes=progress.add)
        finally:
            progress.end()
        sender = Sender(
            service=service,
            context=context,
            plan=plan,
            visibility=options.visibility,
            dry_run=options.dry_run,
        )
        try:
            if options.dry_run:
                return _outcome(sender.try_out(archive, written))
            pack = sender.send(archive, written)
        except Failure as failure:
            say_next_version(failure)
            raise
    return _result(plan, pack, sent=written.size if plan.sent else 0, changed=True)


def _version(text: str | None) -> Version | None:
    try:
        return None if text is None else parse_version(text)
    except ValueError as fault:
        raise Failure(Exit.USAGE, f"The version {text!r} {fault}.", "Push with --version 1.4.0.") from None


def _outcome(outcome: Mapping[str, Any]) -> Result:
    """Return what would come: the reference to which the pack would be pinned."""
    pack = outcome["pack"]
    reference = f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"
    lines = [f"Nothing was kept. {pack['name']} {pack['version']} would be {outcome['outcome']}: {reference}"]
    for name, limit in outcome.get("limits", {}).items():
        text = size_text if name.endswith("_bytes") else str
        lines.append(f"  {name}: {text(limit['used'])} of {text(limit['limit'])}")
    return Result(document=dict(outcome), lines=lines, essence=[reference])


def _result(plan: Plan, pack: StandingPack, *, sent: int, changed: bool) -> Result:
    return Result(
        document={
            "reference": pack.pinned,
            "changed": changed,
            "created": plan.pack is None,
            "sent_bytes": sent,
            "files": plan.difference.view(),
            "capabilities": plan.capabilities,
            "pack": pack.view,
        },
        lines=[pack.pinned],
        essence=[pack.pinned],
    )


def _seen(root: Path) -> dict[str, tuple[int, int]]:
    """Return what tells that something in a folder has changed."""
    seen = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".hg", ".svn"}]
        for name in names:
            place = Path(folder, name)
            try:
                status = place.lstat()
            except FileNotFoundError:
                continue
            seen[str(place)] = (status.st_mtime_ns, status.st_size)
    return seen


def _wait_for_change(root: Path, seen: dict[str, tuple[int, int]], context: Context) -> None:
    """Wait until a folder has changed, and has then stood still for a second."""
    before = seen
    while True:
        context.sleep(_SECONDS)
        now = _seen(root)
        if now == before and now != seen:
            return
        before = now
