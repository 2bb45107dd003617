"""The keys that this user trusts to sign what packs are made of: for each deployment, its public keys (decision 130).

They are in the folder of the profiles. A deployment that is not in the file has never been asked for its keys. One with
no keys is known, and none of its signatures is trusted.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from packyard.attestations.public_key import PublicKey, key_of_pem
from packyard_cli.failure import Exit, Failure
from packyard_cli.settings import write_whole

KEYS_FILE: Final = "trusted-keys.json"
_VERSION: Final = 1
_FOLDER_MODE: Final = 0o700


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
    """The file of trusted keys.

    Attributes:
        folder: Where it is.
        now: Returns the present instant, RFC 3339.
    """

    folder: Path
    now: Callable[[], str] = _now

    @property
    def file(self) -> Path:
        """The file; it need not exist."""
        return self.folder / KEYS_FILE

    def all(self) -> dict[str, tuple[TrustedKey, ...]]:
        """Return the keys of all deployments, by the base URL of their API.

        Raises:
            Failure: The file is damaged. It is not repaired, since that would forget what was trusted.
        """
        try:
            document = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            raise self._damaged() from None
        try:
            if document["trusted_keys_version"] != _VERSION:
                raise Failure(
                    Exit.UNPROVED,
                    f"{self.file} has version {document['trusted_keys_version']}, which this command does not know.",
                    "Install a newer packyard.",
                )
            return {
                str(url): tuple(map(_trusted, entry["keys"])) for url, entry in document["services"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._damaged() from None

    def of(self, url: str) -> tuple[TrustedKey, ...] | None:
        """Return the keys of a deployment; None if it is not known."""
        return self.all().get(url)

    def add(self, url: str, keys: Iterable[PublicKey], *, how: str) -> tuple[TrustedKey, ...]:
        """Trust keys of a deployment from now on, and return those that were not trusted before.

        Raises:
            Failure: The file is damaged.
            OSError: It cannot be written.
        """
        known = self.all()
        there = known.get(url, ())
        ids = {trusted.key.id for trusted in there}
        added = tuple(
            TrustedKey(key=key, since=self.now(), how=how) for key in dict.fromkeys(keys) if key.id not in ids
        )
        self._write({**known, url: (*there, *added)})
        return added

    def remove(self, url: str, key_id: str) -> None:
        """Trust a key no more. The deployment stays known, also without a key.

        Raises:
            Failure: The file is damaged.
            OSError: It cannot be written.
        """
        known = self.all()
        left = tuple(trusted for trusted in known.get(url, ()) if trusted.key.id != key_id)
        self._write({**known, url: left})

    def _write(self, services: Mapping[str, Iterable[TrustedKey]]) -> None:
        document = {
            "trusted_keys_version": _VERSION,
            "services": {url: {"keys": [key.view() for key in keys]} for url, keys in services.items()},
        }
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        write_whole(self.file, json.dumps(document, indent=2).encode() + b"\n")

    def _damaged(self) -> Failure:
        return Failure(
            Exit.UNPROVED,
            f"{self.file} is damaged, so which keys you trust is not known.",
            "Put it back from a copy. Without one, remove it, and compare the keys with your operator's when they "
            "are shown again: packyard trust keys pin URL",
        )


def _trusted(entry: Mapping[str, Any]) -> TrustedKey:
    key = key_of_pem(str(entry["pem"]))
    if key.id != entry["id"]:
        raise ValueError("its id is of another key")
    return TrustedKey(key=key, since=str(entry["since"]), how=str(entry["how"]))


def pems(keys: Iterable[TrustedKey]) -> dict[str, str]:
    """Return keys as `packyard.attestations.verify` takes them: their PEM texts by id."""
    return {trusted.key.id: trusted.key.pem for trusted in keys}
