"""What commands get from outside: the environment, the printer, the clock, and ways to reach the service."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from packyard_cli.printing import Printer

if TYPE_CHECKING:
    from packyard_cli.ci_tokens import Run
    from packyard_cli.keyrings import Keyring
    from packyard_cli.progress import Progress
    from packyard_cli.service import Service, Transport
    from packyard_cli.settings import Profiles

_UNKNOWN_VERSION: Final = "0"


class Context(NamedTuple):
    """The surroundings of one command.

    Attributes:
        environment: The environment's variables.
        printer: Prints answers and notes.
        stdin: Where a token may come from.
        profile: The profile that the command line names.
        url: The URL that the command line names.
        make_transport: Makes what sends requests.
        find_keyring: Finds the system's keyring.
        sleep: Waits for a number of seconds.
        run_program: Runs a program of another maker; None for how this machine does.
        windows: Whether this is Windows.
    """

    environment: Mapping[str, str]
    printer: Printer
    stdin: IO[str]
    profile: str | None = None
    url: str | None = None
    make_transport: "Callable[[Mapping[str, str]], Transport] | None" = None
    find_keyring: "Callable[[], Keyring | None] | None" = None
    sleep: Callable[[float], None] = time.sleep
    run_program: "Run | None" = None
    windows: bool = os.name == "nt"

    def profiles(self) -> "Profiles":
        """Return the profiles of this user."""
        from packyard_cli.keyrings import system_keyring  # noqa: PLC0415 - keyrings take long to import
        from packyard_cli.settings import Profiles, config_folder  # noqa: PLC0415

        find = self.find_keyring or system_keyring
        keyring = None if self.environment.get("PACKYARD_NO_KEYRING") else LazyKeyring(find)
        return Profiles(folder=config_folder(self.environment), environment=self.environment, keyring=keyring)

    def service(self, *, needs_token: bool = True) -> "Service":
        """Return the service that the command line, the environment or a profile names.

        Raises:
            Failure: None is known, or there is no token for it.
        """
        from packyard_cli.failure import Exit, Failure  # noqa: PLC0415

        login = self.profiles().login(profile=self.profile, url=self.url)
        if needs_token and login.token is None:
            raise Failure(
                Exit.NOT_SIGNED_IN,
                f"There is no login for {login.url}.",
                f"Log in with packyard login {login.url}, or set PACKYARD_TOKEN.",
            )
        return self.service_at(login.url, login.token)

    def service_at(self, url: str, token: str | None) -> "Service":
        """Return the service at a URL."""
        from packyard_cli.service import Service  # noqa: PLC0415 - HTTP takes long to import
        from packyard_cli.settings import Login  # noqa: PLC0415

        login = Login(url=url, token=token, profile=self.profile, source="")
        return Service(
            login=login, transport=self.transport(), user_agent=f"packyard/{version()}", sleep=self.sleep
        )

    def progress(self, what: str, total: int) -> "Progress":
        """Return a progress bar, which is drawn on a terminal only."""
        from packyard_cli.progress import Progress  # noqa: PLC0415

        drawn = self.printer.err.isatty() and not self.printer.quiet and not self.printer.json
        return Progress(what, total, self.printer.err if drawn else None)

    def cache(self) -> Path:
        """Return the folder of verified layers."""
        from packyard_cli.settings import cache_folder  # noqa: PLC0415

        return cache_folder(self.environment)

    def transport(self) -> "Transport":
        """Return what sends requests."""
        if self.make_transport is not None:
            return self.make_transport(self.environment)
        from packyard_cli.wire import Wire  # noqa: PLC0415

        return Wire(self.environment)


class LazyKeyring:
    """A keyring that is looked for when a command needs it.

    Args:
        find: Finds it.
    """

    def __init__(self, find: "Callable[[], Keyring | None]") -> None:
        self._find = cache(find)

    @property
    def name(self) -> str:
        """What it is called."""
        found = self._find()
        return found.name if found is not None else "none"

    def keep(self, entry: str, token: str) -> bool:
        """Keep a token; return whether that worked."""
        found = self._find()
        return found is not None and found.keep(entry, token)

    def find(self, entry: str) -> str | None:
        """Return a token; None if there is none."""
        found = self._find()
        return None if found is None else found.find(entry)

    def drop(self, entry: str) -> None:
        """Forget a token, if there is one."""
        found = self._find()
        if found is not None:
            found.drop(entry)


def version() -> str:
    """Return the version that is installed; `0` in a checkout."""
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415 - takes as long as argparse
    from importlib.metadata import version as installed  # noqa: PLC0415

    try:
        return installed("packyard")
    except PackageNotFoundError:
        return _UNKNOWN_VERSION


def python_version() -> str:
    """Return the Python that runs this."""
    return ".".join(map(str, sys.version_info[:3]))
