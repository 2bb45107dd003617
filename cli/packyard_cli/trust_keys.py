"""`packyard trust keys`: which keys are trusted to sign what packs are made of, for each deployment."""

import argparse
from pathlib import Path
from typing import Final

from packyard.attestations.public_key import PublicKey, key_of_pem
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.offered_keys import fingerprint, offered_keys, store_of
from packyard_cli.packs import confirm
from packyard_cli.result import Result, counted
from packyard_cli.settings import checked_url
from packyard_cli.trusted_keys import TrustedKey

_LEAST_OF_AN_ID: Final = 8
_MAX_PEM: Final = 64 << 10
_END: Final = "-----END PUBLIC KEY-----"


def list_keys(_: argparse.Namespace, context: Context) -> Result:
    """List the trusted keys; with `--url` or `--profile`, those of that deployment."""
    services = store_of(context).all()
    if context.url or context.profile:
        url = _url(context)
        services = {url: services.get(url, ())}
    lines = []
    for url, keys in sorted(services.items()):
        lines.append(url)
        lines += [f"  {fingerprint(each.key)}  since {each.since} ({each.how})" for each in keys]
        lines += [] if keys else ["  no key is trusted"]
    return Result(
        document={
            "services": [
                {"url": url, "keys": [each.view() for each in keys]} for url, keys in services.items()
            ]
        },
        lines=lines or ["No keys are trusted yet. packyard login and the first install ask for them."],
        essence=[each.key.id for keys in services.values() for each in keys],
    )


def add(options: argparse.Namespace, context: Context) -> Result:
    """Trust the keys of a file in PEM form.

    Raises:
        Failure: The file has no key on P-256.
    """
    url = _url(context)
    given = context.stdin.read(_MAX_PEM) if options.file == "-" else _text_of(Path(options.file))
    keys = _keys_of(given, options.file)
    return _added(url, keys, store_of(context).add(url, keys, how="add"))


def remove(options: argparse.Namespace, context: Context) -> Result:
    """Trust a key no more.

    Raises:
        Failure: No trusted key of the deployment has the id, or several begin with it.
    """
    url, store = _url(context), store_of(context)
    found = [each.key for each in store.of(url) or () if _is_meant(each, options.key)]
    if len(found) != 1:
        raise Failure(
            Exit.NOT_FOUND if not found else Exit.CONFLICT,
            f"{counted(len(found), 'trusted key')} of {url} {'begins' if len(found) == 1 else 'begin'} with "
            f"{options.key!r}.",
            f"packyard trust keys list shows them; give at least {_LEAST_OF_AN_ID} characters of the id.",
        )
    confirm(f"Trust {fingerprint(found[0])} of {url} no more?", options, context)
    store.remove(url, found[0].id)
    return Result(
        document={"url": url, "removed": found[0].id},
        lines=[f"{fingerprint(found[0])} is trusted no more. What only this key has signed is refused."],
        essence=[found[0].id],
    )


def pin(options: argparse.Namespace, context: Context) -> Result:
    """Trust the keys that a deployment offers now, after a question. Keys that are trusted already stay.

    Raises:
        Failure: Nobody agreed, or the deployment offers none.
    """
    url, store = _url(context, options.service), store_of(context)
    known = {each.key.id for each in store.of(url) or ()}
    offered = offered_keys(context.service_at(url, None))
    new = [each for each in offered if each.key.id not in known]
    if not offered:
        raise Failure(
            Exit.UNPROVED, f"{url} has no keys: it does not sign what it builds.", "Ask its operator."
        )
    if not new:
        return _added(url, [], ())
    for each in new:
        past = "" if each.is_current else " (a past key)"
        context.printer.note(f"{url} offers {fingerprint(each.key)}{past}")
    context.printer.note("Compare it with what the operator tells you by another way.")
    confirm(f"Trust {counted(len(new), 'key')} of {url}?", options, context)
    keys = [each.key for each in new]
    return _added(url, keys, store.add(url, keys, how="pin"))


def _added(url: str, keys: list[PublicKey], added: tuple[TrustedKey, ...]) -> Result:
    there = [
        f"{fingerprint(key)} was trusted before." for key in keys if key.id not in {k.key.id for k in added}
    ]
    lines = [f"{fingerprint(each.key)} is trusted for {url}." for each in added]
    return Result(
        document={"url": url, "added": [each.key.id for each in added]},
        lines=[*lines, *there] or [f"All keys that {url} offers are trusted already."],
        essence=[each.key.id for each in added],
    )


def _url(context: Context, given: str | None = None) -> str:
    """Return the base URL of the deployment that is meant."""
    if given:
        return checked_url(given)
    return context.profiles().login(profile=context.profile, url=context.url).url


def _is_meant(trusted: TrustedKey, text: str) -> bool:
    wanted = text.lower().removeprefix("sha256:")
    return len(wanted) >= _LEAST_OF_AN_ID and trusted.key.id.startswith(wanted)


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MAX_PEM).decode("ascii", errors="replace")
    except FileNotFoundError:
        raise Failure(Exit.USAGE, f"There is no file {file}.") from None


def _keys_of(text: str, file: str) -> list[PublicKey]:
    """Return the public keys of a text: one PEM block or more.

    Raises:
        Failure: There is none, or one that is not on P-256.
    """
    from packyard.attestations.verify import NotVerified, require_key  # noqa: PLC0415 - cryptography

    blocks = [f"{block}{_END}" for block in text.split(_END)[:-1]]
    try:
        keys = [key_of_pem(block) for block in blocks]
        for key in keys:
            require_key(key.pem)
    except (ValueError, NotVerified) as error:
        raise Failure(
            Exit.USAGE, f"A key in {file} cannot be used: it {_lower(error)}.", "Give ECDSA keys on P-256."
        ) from None
    if not keys:
        raise Failure(
            Exit.USAGE, f"{file} has no public key in PEM form.", "It begins with -----BEGIN PUBLIC KEY-----."
        )
    return keys


def _lower(error: Exception) -> str:
    return str(error).removeprefix("the trusted key ")
