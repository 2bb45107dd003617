"""The keys with which a deployment says that it signs, and what is done with them at first use (decision 130).

At first use they are trusted, and shown. From then on only the user adds keys: whoever takes over a deployment could
offer a key of his own.
"""

from dataclasses import dataclass
from typing import Any, Final

from packyard.attestations.public_key import PublicKey, key_of_pem
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.service import Service
from packyard_cli.settings import config_folder
from packyard_cli.trusted_keys import FOLDER, TrustedKey, TrustedKeys

_PATH: Final = "/.well-known/packyard/keys.json"
_FIRST_USE: Final = "first use"
# An operator makes a new key once in years.
_MAX_KEYS: Final = 100


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """A key of a deployment.

    Attributes:
        key: The key.
        is_current: Whether the deployment signs with it now.
    """

    key: PublicKey
    is_current: bool


def store_of(context: Context) -> TrustedKeys:
    """Return this user's trusted keys."""
    return TrustedKeys(folder=config_folder(context.environment, windows=context.windows) / FOLDER)


def offered_keys(service: Service) -> tuple[OfferedKey, ...]:
    """Return the keys of a deployment, the newest first; none if it does not sign, or is too old to know how.

    Raises:
        Failure: It did not answer, or not with keys on P-256.
    """
    try:
        body = service.get(_PATH).body
    except Failure as failure:
        if failure.exit_code is Exit.NOT_FOUND:
            return ()
        raise
    try:
        keys = tuple(_offered(entry) for entry in body["keys"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Failure(
            Exit.UNAVAILABLE, f"{service.login.url} answers something else than its public keys.", _ADDRESS
        ) from None
    if len(keys) > _MAX_KEYS:
        raise Failure(
            Exit.UNAVAILABLE, f"{service.login.url} has more than {_MAX_KEYS} public keys.", _ADDRESS
        )
    return keys


_ADDRESS: Final = "Check the address (packyard whoami shows it), and any proxy on the way."


def trusted_at_first_use(store: TrustedKeys, service: Service, context: Context) -> tuple[TrustedKey, ...]:
    """Return the keys that are trusted for a deployment. At first use those that it offers are, with a note of each.

    Returns:
        The keys; none if the deployment is not known and offers none, or if the user has removed all of them.

    Raises:
        Failure: The deployment is not known, and did not answer.
    """
    known = store.of(service.login.url)
    if known is not None:
        return known
    offered = offered_keys(service)
    if not offered:
        return ()
    keys = [each.key for each in offered]
    for line in first_use_lines(service.login.url, offered):
        context.printer.note(line)
    try:
        return store.add(service.login.url, keys, how=_FIRST_USE)
    except OSError as error:
        # In a container, the home may be read-only.
        context.printer.note(f"  It is not kept ({error.strerror}), so only this command trusts it.")
        return store.trusted(keys, how=_FIRST_USE)


def keys_at_login(service: Service, context: Context) -> tuple[list[str], list[str]]:
    """Trust the keys of a deployment at first use, and say where it signs with another key than those.

    Returns:
        The ids of the keys that are trusted, and lines for people. A login does not fail for want of keys.
    """
    store, url = store_of(context), service.login.url
    try:
        offered, known = offered_keys(service), store.of(url)
        if known is None and offered:
            store.add(url, (each.key for each in offered), how=_FIRST_USE)
            return [each.key.id for each in offered], first_use_lines(url, offered)
    except Failure as failure:
        return [], [f"Its signing keys are not known: {failure.message}"]
    trusted = [each.key.id for each in known or ()]
    other = [each for each in offered if each.is_current and each.key.id not in trusted]
    lines = [f"It signs with a key that you do not trust: {fingerprint(each.key)}" for each in other]
    if other:
        lines.append(
            f"  Compare it with what your operator tells you; packyard trust keys pin {url} trusts it."
        )
    return trusted, lines


def first_use_lines(url: str, offered: tuple[OfferedKey, ...]) -> list[str]:
    """Return what people read when keys are trusted at first use."""
    return [
        f"From now on you trust what {url} signs with this key, and with no other:",
        *(f"  {fingerprint(each.key)}{'' if each.is_current else ' (a past key)'}" for each in offered),
        "  Compare it with what your operator tells you by another way (packyard trust keys list shows it again).",
    ]


def fingerprint(key: PublicKey) -> str:
    """Return a key's id as people compare it: the SHA-256 of the key as DER."""
    return f"sha256:{key.id}"


def _offered(entry: dict[str, Any]) -> OfferedKey:
    key = key_of_pem(str(entry["pem"]))
    if entry["id"] != key.id:
        raise ValueError("its id is of another key")
    return OfferedKey(key, bool(entry.get("current")))
