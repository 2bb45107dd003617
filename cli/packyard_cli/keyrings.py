"""The system's keyring, where there is one: Keychain, Windows' Credential Manager, or Secret Service with the extra."""

import importlib
from typing import Any, Protocol

_SERVICE = "packyard"


class Keyring(Protocol):
    """Keeps tokens by name."""

    @property
    def name(self) -> str:
        """What it is called."""

    def keep(self, entry: str, token: str) -> bool:
        """Keep a token; return whether that worked."""

    def find(self, entry: str) -> str | None:
        """Return a token; None if there is none."""

    def drop(self, entry: str) -> None:
        """Forget a token, if there is one."""


class SystemKeyring:
    """The backend that the package `keyring` has chosen.

    Args:
        backend: A `keyring.backend.KeyringBackend`.
    """

    def __init__(self, backend: Any) -> None:
        self.name = str(backend.name)
        self._backend = backend

    def keep(self, entry: str, token: str) -> bool:
        """Keep a token; return whether that worked."""
        # A keyring fails in ways of its own: it is locked, its service does not run, the user says no.
        try:
            self._backend.set_password(_SERVICE, entry, token)
        except Exception:  # noqa: BLE001
            return False
        return True

    def find(self, entry: str) -> str | None:
        """Return a token; None if there is none, or the keyring does not open."""
        try:
            found = self._backend.get_password(_SERVICE, entry)
        except Exception:  # noqa: BLE001
            return None
        return None if found is None else str(found)

    def drop(self, entry: str) -> None:
        """Forget a token, if there is one."""
        try:
            self._backend.delete_password(_SERVICE, entry)
        except Exception:  # noqa: BLE001
            return


def system_keyring() -> Keyring | None:
    """Return the system's keyring, or None where there is none or the package `keyring` is not installed."""
    try:
        module = importlib.import_module("keyring")
    except ImportError:
        return None
    backend = module.get_keyring()
    # Backends of priority 0 and less keep nothing, or keep it in plain text.
    if float(backend.priority) <= 0 or type(backend).__module__.startswith(
        ("keyring.backends.fail", "keyring.backends.null")
    ):
        return None
    return SystemKeyring(backend)
