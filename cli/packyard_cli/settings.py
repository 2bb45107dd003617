"""Profiles: which services this machine knows, where their tokens are, and which of them a command uses.

A token is in the system's keyring where there is one, else in a file that only the user can read. `PACKYARD_URL` and
`PACKYARD_TOKEN` win over every profile, for machines that have none.
"""

import ipaddress
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from packyard_cli.failure import Exit, Failure
from packyard_cli.keyrings import Keyring

DEFAULT_PROFILE: Final = "default"
_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where the service is and what to say there.

    Attributes:
        url: The API's base URL, without a slash at its end.
        token: An API key or a JWT; None for none.
        profile: The profile's name; None where the environment says both.
        source: Where the token came from, for people.
    """

    url: str
    token: str | None
    profile: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The profiles of this user.

    Attributes:
        folder: Where they are kept.
        environment: The environment's variables.
        keyring: The system's keyring; None where there is none.
    """

    folder: Path
    environment: Mapping[str, str]
    keyring: Keyring | None

    def login(self, *, profile: str | None, url: str | None) -> Login:
        """Return what to use for a command.

        Args:
            profile: The profile that the command line names.
            url: The URL that the command line names.

        Raises:
            Failure: There is no such profile, or no URL at all.
        """
        known = self._read()
        name = profile or self.environment.get("PACKYARD_PROFILE") or known["current"]
        stated = profile or self.environment.get("PACKYARD_PROFILE")
        kept = known["profiles"].get(name)
        if stated and kept is None:
            names = ", ".join(sorted(known["profiles"])) or "none"
            raise Failure(
                Exit.NO_PROFILE,
                f"There is no profile {stated!r}; known: {names}.",
                f"Name another one, or make it: packyard login URL --profile {stated}",
            )
        where = url or (None if profile else self.environment.get("PACKYARD_URL")) or (kept or {}).get("url")
        if not where:
            raise Failure(
                Exit.NOT_SIGNED_IN,
                "No service is known here.",
                "Log in with packyard login URL, or set PACKYARD_URL and PACKYARD_TOKEN.",
            )
        where = checked_url(where)
        token = None if profile else self.environment.get("PACKYARD_TOKEN")
        if token:
            return Login(url=where, token=checked_token(token), profile=None, source="PACKYARD_TOKEN")
        # A profile's token is for that profile's service, and is not sent to another one.
        if kept is None or kept.get("url") != where:
            return Login(url=where, token=None, profile=None, source="nowhere")
        token, source = self._token(name, kept)
        return Login(url=where, token=token, profile=name, source=source)

    def keep(self, name: str, *, url: str, token: str, use_keyring: bool = True) -> str:
        """Keep a profile, and make it the current one.

        Returns:
            Where its token is, for people.

        Raises:
            OSError: The file cannot be written.
        """
        known = self._read()
        if use_keyring and self.keyring is not None and self.keyring.keep(_entry(name, url), token):
            known["profiles"][name] = {"url": url, "keyring": True}
            place = f"the keyring of this system ({self.keyring.name})"
            self._write_tokens({key: value for key, value in self._tokens().items() if key != name})
        else:
            known["profiles"][name] = {"url": url, "keyring": False}
            self._write_tokens({**self._tokens(), name: token})
            place = f"{self._token_file()}, a file that only you can read (mode 0600), and in no keyring"
        self._write("profiles.json", {**known, "current": name})
        return place

    def drop(self, name: str | None) -> str:
        """Forget a profile and its token; return its name.

        Raises:
            Failure: There is no such profile.
        """
        known = self._read()
        name = name or known["current"]
        kept = known["profiles"].pop(name, None)
        if kept is None:
            raise Failure(Exit.NO_PROFILE, f"There is no profile {name!r}, so nothing was forgotten.")
        if kept.get("keyring") and self.keyring is not None:
            self.keyring.drop(_entry(name, kept["url"]))
        self._write_tokens({key: value for key, value in self._tokens().items() if key != name})
        if known["current"] == name:
            known["current"] = next(iter(sorted(known["profiles"])), DEFAULT_PROFILE)
        self._write("profiles.json", known)
        return str(name)

    def _token(self, name: str, kept: Mapping[str, Any]) -> tuple[str | None, str]:
        if not kept.get("keyring"):
            return self._tokens().get(name), str(self._token_file())
        if self.keyring is None:
            raise Failure(
                Exit.NOT_SIGNED_IN,
                f"The token of profile {name!r} is in a keyring, and there is none here.",
                f"Log in again: packyard login {kept['url']} --profile {name}",
            )
        return self.keyring.find(_entry(name, str(kept["url"]))), f"the keyring ({self.keyring.name})"

    def _token_file(self) -> Path:
        return self.folder / "tokens.json"

    def _tokens(self) -> dict[str, str]:
        tokens = self._load("tokens.json")
        return {str(name): str(token) for name, token in tokens.items()}

    def _write_tokens(self, tokens: Mapping[str, str]) -> None:
        if tokens or self._token_file().exists():
            self._write("tokens.json", tokens)

    def _read(self) -> dict[str, Any]:
        known = self._load("profiles.json")
        current, profiles = known.get("current", DEFAULT_PROFILE), known.get("profiles", {})
        if not isinstance(current, str) or not isinstance(profiles, dict):
            raise self._damaged("profiles.json")
        if not all(isinstance(one, dict) and isinstance(one.get("url"), str) for one in profiles.values()):
            raise self._damaged("profiles.json")
        return {"current": current, "profiles": profiles}

    def _load(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / name).read_bytes())
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._damaged(name)
        return found

    def _damaged(self, name: str) -> Failure:
        return Failure(
            Exit.NO_PROFILE,
            f"{self.folder / name} is damaged.",
            "Remove that file, and log in again with packyard login URL.",
        )

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        self.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        write_whole(self.folder / name, json.dumps(content, indent=2).encode() + b"\n", mode=_PRIVATE_FILE)


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file completely or not at all.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).chmod(mode)
        Path(unfinished).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise


def checked_url(text: str) -> str:
    """Return a base URL without a slash at its end.

    Raises:
        Failure: It is no URL of a service, or would send tokens over a network unencrypted.
    """
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
        (host or "").encode("idna")
    except ValueError:
        # A port over 65535, half an IPv6 address, or a name that DNS cannot hold.
        host = None
    if (
        not host
        or not url.isprintable()
        or " " in url
        or parts.scheme not in {"http", "https"}
        or parts.query
        or parts.fragment
    ):
        raise Failure(
            Exit.USAGE,
            f"{text!r} is not the address of a service.",
            "Write it as in https://acme.packyard.example/v1",
        )
    if parts.username or parts.password:
        raise Failure(
            Exit.USAGE, "The address holds a password.", "Leave it out, and give the token to login."
        )
    if parts.scheme == "http" and not _is_this_machine(host):
        raise Failure(
            Exit.USAGE,
            f"{host} would get the token over plain http, where others can read it.",
            "Write https.",
        )
    return url


def checked_token(text: str) -> str:
    """Return a token without white space around it.

    Raises:
        Failure: It is none.
    """
    token = text.strip().removeprefix("Bearer ").strip("\"' ")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Failure(
            Exit.USAGE,
            "The token is empty or holds characters that no token has.",
            "Give an API key (sk_...) or a JWT (eyJ...).",
        )
    return token


def config_folder(environment: Mapping[str, str], *, windows: bool = os.name == "nt") -> Path:
    """Return where profiles are kept."""
    system = environment.get("APPDATA" if windows else "XDG_CONFIG_HOME")
    return _folder(environment.get("PACKYARD_CONFIG_DIR"), system, ".config")


def cache_folder(environment: Mapping[str, str], *, windows: bool = os.name == "nt") -> Path:
    """Return where verified layers are kept."""
    system = environment.get("LOCALAPPDATA" if windows else "XDG_CACHE_HOME")
    return _folder(environment.get("PACKYARD_CACHE_DIR"), system, ".cache")


def _folder(own: str | None, system: str | None, below_home: str) -> Path:
    if own:
        return Path(own)
    return (Path(system) if system else Path.home() / below_home) / "packyard"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _entry(profile: str, url: str) -> str:
    return f"{profile} {url}"
