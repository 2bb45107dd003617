"""The same content is the same blob on every processor of an architecture, and the same tar on all (decision 83).

QEMU emulates the processors. It has no AVX-512.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import pytest
from local.environments import LOCAL, PROJECT
from local.processors import THIS_MACHINE, Processor, prepare_processors, run_python

# isal has code of its own for processors with SSE4, with AVX, and with AVX2. Each model has more than the one before.
X86_64: Final = [Processor("x86_64", model) for model in ("Nehalem", "IvyBridge", "Haswell")]
# Those of Graviton and Graviton 2; the last one has SVE, as Graviton 3 and 4 have.
ARM64: Final = [Processor("aarch64", model) for model in ("cortex-a72", "neoverse-n1", "max")]
ARCHITECTURES: Final = {"x86_64": X86_64, "aarch64": ARM64}
_CHILD: Final = PROJECT / "tests" / "processor_child.py"
_WORDS: Final = 2_000
_LETTERS: Final = b"etaoinshrdlcumwfgypbvk"

Made = Callable[[str, Processor], dict[str, str]]


def contents() -> dict[str, bytes]:
    """Return content of the kinds that packs have."""
    dice = Random(12)  # noqa: S311 - the same each time
    words = [bytes(dice.choices(_LETTERS, k=dice.randint(2, 10))) for _ in range(_WORDS)]
    prose = b" ".join(dice.choices(words, [1 / rank for rank in range(1, _WORDS + 1)], k=40_000))
    return {
        "pack.yaml": b"name: processors\nversion: 1.0.0\n",
        "empty": b"",
        "tiny": b"abcabcabcabcabcd",
        "prose.md": prose,
        # Longer than the window, with matches at the far end of it.
        "again.md": prose[:32_000] + dice.randbytes(700) + prose[:32_000],
        "picture.png": dice.randbytes(60_000),
        "zeros": bytes(150_000),
        "table.csv": b"".join(b"%d,%d\n" % (line, dice.getrandbits(20)) for line in range(8_000)),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what a processor makes of the contents: see the script."""
    prepare_processors()
    folder = tmp_path_factory.mktemp("contents")
    for name, content in contents().items():
        (folder / name).write_bytes(content)
    environment = {
        "PYTHONPATH": str(PROJECT / "layers" / "packyard" / "python"),
        "PYTHONPYCACHEPREFIX": str(Path(sys.pycache_prefix or LOCAL / "pycache")),
    }

    @cache
    def make(what: str, processor: Processor) -> dict[str, str]:
        printed = run_python(_CHILD, [what, folder], processor=processor, environment=environment)
        # Before them, QEMU names features of the processor that it does not have.
        lines = [line.split() for line in printed.splitlines() if not line.startswith("qemu-")]
        return dict(lines)

    return make


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_processors_of_an_architecture_compress_to_the_same_bytes(architecture: str, made: Made) -> None:
    of_each = {each.model: made("pieces", each)["pieces"] for each in ARCHITECTURES[architecture]}

    assert len(set(of_each.values())) == 1, of_each


def test_this_machine_compresses_as_the_emulated_ones_of_its_architecture_do(made: Made) -> None:
    emulated = ARCHITECTURES[THIS_MACHINE.architecture][0]

    assert made("pieces", THIS_MACHINE)["pieces"] == made("pieces", emulated)["pieces"]


def test_the_emulated_generations_are_different_ones_to_the_compressor(made: Made) -> None:
    # Otherwise the tests above would find nothing. isal's level 3, which we do not use, has the difference.
    assert made("pieces", X86_64[0])["level_3"] != made("pieces", X86_64[-1])["level_3"]


def test_the_other_architecture_makes_the_same_content_and_the_same_tar_but_another_blob(made: Made) -> None:
    x86_64, arm64 = (
        made("image", THIS_MACHINE if architecture == THIS_MACHINE.architecture else emulated[0])
        for architecture, emulated in ARCHITECTURES.items()
    )

    assert x86_64["content_digest"] == arm64["content_digest"]
    assert x86_64["diff_id"] == arm64["diff_id"]
    assert x86_64["layer"] != arm64["layer"]
    assert x86_64["index"] != arm64["index"]
