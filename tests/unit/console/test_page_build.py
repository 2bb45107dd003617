"""What is built for the page: its size, and that its own tests pass."""

import gzip
from typing import Final

from local import console

_SCRIPT_BYTES: Final = 120_000


def test_the_page_s_scripts_are_small() -> None:
    scripts = sorted(console.SERVED_FROM.glob("*.js"))
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in scripts}

    assert scripts
    assert sum(sizes.values()) < _SCRIPT_BYTES, sizes


def test_the_page_makes_no_html_of_text_by_itself() -> None:
    """What Trusted Types would refuse in a browser is in no source: the sanitiser returns a tree."""
    sinks = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "dangerouslySetInnerHTML",
        "document.write",
        "eval(",
    )
    found = [
        f"{path.relative_to(console.SOURCES)}: {sink}"
        for path in sorted((console.SOURCES / "src").rglob("*.ts*"))
        if not path.name.endswith((".test.ts", ".d.ts"))
        for sink in sinks
        if sink in path.read_text()
    ]

    assert found == []


def test_the_page_keeps_nothing_in_the_browser() -> None:
    stores = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.open")
    found = [
        f"{path.relative_to(console.SOURCES)}: {store}"
        for path in sorted((console.SOURCES / "src").rglob("*.ts*"))
        if not path.name.endswith((".test.ts", ".d.ts"))
        for store in stores
        if store in path.read_text()
    ]

    assert found == []


def test_the_tests_of_the_page_s_own_modules_pass() -> None:
    assert "passed" in console.run_tool("vitest", "run", "--maxWorkers", "1")
