"""Publishing several folders: each is a pack of its own, and one that is refused keeps none of the others back."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.packing import valid_folder
from packyard_cli.pushing import publish
from packyard_cli.result import Result, counted
from packyard_cli.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A folder to publish, or why there is none.

    Attributes:
        source: What people know it by.
        origin: What its provenance is to say of where it comes from; empty for nothing.
        folder: Where it is; None if it could not be had.
        failure: Why not.
    """

    source: str
    folder: Path | None
    failure: Failure | None = None
    origin: str = ""


def push_all(
    candidates: Sequence[Candidate], options: argparse.Namespace, context: Context, service: Service
) -> Result:
    """Publish every folder, and say what became of each.

    Raises:
        Failure: Two of them are one pack, so nothing was published; or the service was not reached.
    """
    _require_different_names(candidates, options, context)
    done: list[tuple[Candidate, Result]] = []
    failed: list[tuple[Candidate, Failure]] = []
    for candidate in candidates:
        try:
            if candidate.failure is not None:
                raise candidate.failure
            if candidate.folder is not None:
                context.printer.note(f"From {candidate.source}:")
                done.append(
                    (
                        candidate,
                        publish(
                            candidate.folder, options, context, replace(service, source=candidate.origin)
                        ),
                    )
                )
        except Failure as failure:
            if failure.exit_code in {Exit.UNAVAILABLE, Exit.NOT_SIGNED_IN}:
                raise
            failed.append((candidate, failure))
    lines = [line for _, result in done for line in result.lines]
    lines += [f"! {candidate.source}: {line}" for candidate, failure in failed for line in failure.lines()]
    counts = [
        f"{counted(len(done), 'pack')} published" if not options.dry_run else counted(len(done), "pack")
    ]
    counts += [f"{len(failed)} refused"] if failed else []
    return Result(
        document={
            "packs": [{"source": candidate.source, **_object(result.document)} for candidate, result in done],
            "failed": [{"source": candidate.source, **failure.view()} for candidate, failure in failed],
        },
        lines=[*lines, f"{', '.join(counts)}."],
        essence=[line for _, result in done for line in result.essence],
        exit_code=failed[0][1].exit_code if failed else Exit.DONE,
    )


def _require_different_names(
    candidates: Iterable[Candidate], options: argparse.Namespace, context: Context
) -> None:
    """Check that no two folders are one pack, of which the second would replace the first.

    Raises:
        Failure: Two are. What is no pack at all is refused later, on its own.
    """
    names: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.folder is None:
            continue
        try:
            _, manifest = valid_folder(candidate.folder, options.exclude, context, as_archive=False)
        except Failure:
            continue
        other = names.setdefault(manifest.name, candidate)
        if other is not candidate:
            raise Failure(
                Exit.CONFLICT,
                f"Two of these are called {manifest.name!r}: {other.source} and {candidate.source}.",
                "Name a folder that holds one of them, so that the other is not replaced.",
            )


def _object(document: Any) -> dict[str, Any]:
    return document if isinstance(document, dict) else {}
