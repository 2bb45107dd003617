"""The keys that this user trusts to sign what packs are made of: for each deployment, its public keys (decision 130).

They are below the folder of the profiles. A deployment without a file has never been asked for its keys. One whose file
has no keys is known, and none of its signatures is trusted.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from packyard.attestations.public_key import PublicKey, key_of_pem
from packyard_cli.failure import Exit, Failure
from packyard_cli.settings import write_whole

FOLDER: Final = "trusted-keys"
_VERSION: Final = 1
_FOLDER_MODE: Final = 0o700
_NAME_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key that is trusted for a deployment.

    Attributes:
        key: The key.
        since: When it was trusted, RFC 3339.
        how: What made it trusted: `first use`, `pin` or `add`.
    """

    key: PublicKey
    since: str
    how: str

    def view(self) -> dict[str, str]:
        """Return the key as JSON."""
        return {"id": self.key.id, "pem": self.key.pem, "since": self.since, "how": self.how}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKeys:
    """The trusted keys of this user: a file for each deployment, so that commands at the same time lose nothing.

    Attributes:
        folder: Where they are; it need not exist.
        now: Returns the present instant, RFC 3339.
    """

    folder: Path
    now: Callable[[], str] = _now

    def all(self) -> dict[str, tuple[TrustedKey, ...]]:
        """Return the keys of all deployments, by the base URL of their API.

        Raises:
            Failure: A file is damaged. It is not repaired, since that would forget what was trusted.
        """
        return dict(_read(file) for file in sorted(self.folder.glob("*.json")))

    def of(self, url: str) -> tuple[TrustedKey, ...] | None:
        """Return the keys of a deployment; None if it is not known.

        Raises:
            Failure: Its file is damaged.
        """
        try:
            return _read(self._file(url))[1]
        except FileNotFoundError:
            return None

    def add(self, url: str, keys: Iterable[PublicKey], *, how: str) -> tuple[TrustedKey, ...]:
        """Trust keys of a deployment from now on, and return those that were not trusted before.

        Raises:
            Failure: Its file is damaged.
            OSError: It cannot be written.
        """
        there = self.of(url) or ()
        ids = {trusted.key.id for trusted in there}
        added = tuple(each for each in self.trusted(keys, how=how) if each.key.id not in ids)
        self._write(url, (*there, *added))
        return added

    def trusted(self, keys: Iterable[PublicKey], *, how: str) -> tuple[TrustedKey, ...]:
        """Return keys as trusted from now on, without keeping them."""
        return tuple(TrustedKey(key=key, since=self.now(), how=how) for key in dict.fromkeys(keys))

    def remove(self, url: str, key_id: str) -> None:
        """Trust a key no more. The deployment stays known, also without a key.

        Raises:
            Failure: Its file is damaged.
            OSError: It cannot be written.
        """
        self._write(url, (trusted for trusted in self.of(url) or () if trusted.key.id != key_id))

    def _write(self, url: str, keys: Iterable[TrustedKey]) -> None:
        document = {"trusted_keys_version": _VERSION, "url": url, "keys": [key.view() for key in keys]}
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        write_whole(self._file(url), json.dumps(document, indent=2).encode() + b"\n")

    def _file(self, url: str) -> Path:
        # A URL is no name of a file on every system.
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()[:_NAME_LENGTH]}.json"


def _read(file: Path) -> tuple[str, tuple[TrustedKey, ...]]:
    try:
        document = json.loads(file.read_bytes())
        if document["trusted_keys_version"] != _VERSION:
            raise Failure(
                Exit.UNPROVED,
                f"{file} has version {document['trusted_keys_version']}, which this command does not know.",
                "Install a newer packyard.",
            )
        return str(document["url"]), tuple(map(_trusted, document["keys"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise Failure(
            Exit.UNPROVED,
            f"{file} is damaged, so which keys you trust is not known.",
            "Put it back from a copy. Without one, remove it, and compare the keys with your operator's when they "
            "are shown again: packyard trust keys pin URL",
        ) from None


def _trusted(entry: Mapping[str, Any]) -> TrustedKey:
    key = key_of_pem(str(entry["pem"]))
    if key.id != entry["id"]:
        raise ValueError("its id is of another key")
    return TrustedKey(key=key, since=str(entry["since"]), how=str(entry["how"]))


def pems(keys: Iterable[TrustedKey]) -> dict[str, str]:
    """Return keys as `packyard.attestations.verify` takes them: their PEM texts by id."""
    return {trusted.key.id: trusted.key.pem for trusted in keys}
