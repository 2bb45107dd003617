"""One target under libFuzzer: `python -m fuzz.instrumented TARGET [libFuzzer's arguments]`."""

import resource
import sys
from functools import partial
from typing import Any, Final

import atheris

from fuzz.exploring import load

# libFuzzer's own limit uses the process's peak memory, which a process inherits from the one that started it.
_ADDRESS_SPACE: Final = 2 << 30


def main() -> None:
    """Explore; libFuzzer ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    _, name, *arguments = sys.argv
    # Python libraries that our readers pass input to are instrumented too. The last are readers that
    # are broken on purpose.
    with atheris.instrument_imports(
        include=["packyard", "packyard_cli", "joserfc", "tests.reliability"], enable_loader_override=False
    ):
        target = load(name)
    options: dict[str, Any] = {}
    if hasattr(target, "mutate"):
        options["custom_mutator"] = partial(target.mutate, at_random=_change_at_random)
    # To merge, libFuzzer runs itself again through a shell, by this name.
    itself = f"{sys.executable} -m fuzz.instrumented {name}"
    atheris.Setup([itself, *arguments], target.check, **options)
    atheris.Fuzz()


def _change_at_random(data: bytes, max_bytes: int) -> bytes:
    # Looked up here, because setting up the fuzzer replaces it.
    return bytes(atheris.Mutate(data, max_bytes))


if __name__ == "__main__":
    main()
