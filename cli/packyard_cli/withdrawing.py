"""Taking revisions back: `packyard withdraw`, `restore`, `retention` and `delete --revision`."""

import argparse

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.packs import confirm
from packyard_cli.result import Result
from packyard_cli.service import JsonBody
from packyard_cli.standing import StandingPack, find_pack


def withdraw(options: argparse.Namespace, context: Context) -> Result:
    """Withdraw a revision: nobody can begin to use its image any more."""
    service = context.service()
    pack = find_pack(service, options.pack)
    answer = service.call(
        "POST", _withdrawal(pack, options.revision), body=JsonBody.of({"reason": options.reason})
    )
    line = f"Revision {options.revision} of {pack.view['name']} is withdrawn."
    return Result(document=answer.body, lines=[line], essence=[str(options.revision)])


def restore(options: argparse.Namespace, context: Context) -> Result:
    """Take a withdrawal back."""
    service = context.service()
    pack = find_pack(service, options.pack)
    answer = service.call("DELETE", _withdrawal(pack, options.revision))
    line = f"Revision {options.revision} of {pack.view['name']} can be used again."
    return Result(document=answer.body, lines=[line], essence=[str(options.revision)])


def retention(options: argparse.Namespace, context: Context) -> Result:
    """Show how many of a pack's newest revisions are kept, or set it.

    Raises:
        Failure: Nobody agreed to delete older revisions.
    """
    service = context.service()
    pack = find_pack(service, options.pack)
    path = f"{pack.path}/retention"
    answer = service.get(path)
    if options.keep is not None:
        keep = _kept(options.keep)
        if keep is not None:
            question = (
                f"Delete the content of what is older than the newest {keep} revisions of {pack.view['name']} and "
                "pinned by no role, now and from now on?"
            )
            confirm(question, options, context)
        answer = service.call("PUT", path, body=JsonBody.of({"keep": keep}), if_match=answer.etag)
    kept = answer.body["keep"]
    said = "All revisions are kept." if kept is None else f"The newest {kept} revisions are kept."
    return Result(document=answer.body, lines=[said], essence=["all" if kept is None else str(kept)])


def delete_revision(options: argparse.Namespace, context: Context) -> Result:
    """Delete the content of a revision, after a question where somebody can answer it.

    Raises:
        Failure: Nobody agreed.
    """
    service = context.service()
    pack = find_pack(service, options.pack)
    name = str(pack.view["name"])
    confirm(f"Delete the content of revision {options.revision} of {name} ({pack.id})?", options, context)
    query = {"force": "true"} if options.force else None
    path = f"{pack.path}/revisions/{options.revision}"
    answer = service.call("DELETE", path, query=query, if_match=pack.etag)
    lines = [f"The content of revision {options.revision} of {name} is deleted."]
    if answer.body["also_in"]:
        also = ", ".join(map(str, answer.body["also_in"]))
        lines.append(f"A file of the same content is also in these revisions: {also}")
    if answer.body.get("not_compared"):
        lines.append(f"Revisions that were not compared: {answer.body['not_compared']}")
    if answer.body["clones"]:
        lines.append(f"Clones have been made of it, which keep their content: {answer.body['clones']}")
    return Result(document=answer.body, lines=lines, essence=[str(options.revision)])


def _kept(text: str) -> int | None:
    """Return how many revisions an argument keeps; None for all."""
    if text == "all":
        return None
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    raise Failure(Exit.USAGE, f"{text} is not a number of revisions.", "Say a whole number from 1, or all.")


def _withdrawal(pack: StandingPack, revision: int) -> str:
    return f"{pack.path}/revisions/{revision}/withdrawal"
