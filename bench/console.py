"""The page for people, in Debian's Chromium: the section `console` of the results.

First content, the comparison of two revisions and its scrolling are measured against the local stack. A search among
ten thousand packs is typed against the same functions over a table that is quick enough (`bench/built_api.py`).
"""

import statistics
import tempfile
from pathlib import Path
from typing import Final

from local.function import free_port
from local.stack import StackDescription, running_stack
from playwright.sync_api import Browser, sync_playwright
from tests.e2e.console.scene import empty_organisation, published
from tests.e2e.console.tab import launched, opened
from tests.service import PackArchive

from bench.console_search import searched
from bench.processes import ProgramFailed
from bench.samples import p95

_CHANGED_FILES: Final = 2_000
_FRAMES: Final = 240
_OK: Final = 200
_FIRST_CONTENT: Final = """() => new Promise((done) => new PerformanceObserver((list, self) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) { self.disconnect(); done(entry.startTime); }
}).observe({ type: "paint", buffered: true }))"""
# Each frame moves the list on by ten rows.
_SCROLL: Final = """(count) => new Promise((done) => {
  const box = document.querySelector(".virtual");
  const at = [];
  const step = (now) => {
    at.push(now);
    box.scrollTop += 400;
    if (at.length <= count) requestAnimationFrame(step);
    else done(at.slice(1).map((each, index) => each - at[index]));
  };
  requestAnimationFrame(step);
})"""
_FOLLOW: Final = """([route, wanted]) => new Promise((done) => {
  const began = performance.now();
  const took = wanted.map(() => undefined);
  const look = () => {
    wanted.forEach((selector, index) => {
      if (took[index] === undefined && document.querySelector(selector)) took[index] = performance.now() - began;
    });
    if (took.includes(undefined)) requestAnimationFrame(look); else done(took);
  };
  location.hash = route;
  requestAnimationFrame(look);
})"""


def measure_console(*, folder: Path, rounds: int) -> dict[str, float]:
    """Return what somebody waits for.

    `first_content_ms` is the first content of a profile that has nothing of the page, of four times `rounds`, at least
    20. `diff_first_ms` is the first content of a comparison of two revisions of which 2,000 files differ, from the
    click on a link to it, and `diff_files_ms` its list of files. `frame_ms` is a frame while the list scrolls.

    `key_p50_ms` is what a key of a search among 10,000 packs takes until a frame with its answer is drawn,
    `page_p50_ms` what of that is not waiting for the request, and `answer_ms` what the functions take without a page.
    `requests_a_key` are the requests, `answers_unused` how many of them the page gave up. `quick_last_ms` is the last
    key of somebody who types 20 letters a second, and `quick_requests_a_key` the requests.

    Args:
        folder: For temporary data.
        rounds: How often words are typed and revisions are compared.

    Raises:
        ProgramFailed, CommandFailed: Something did not run.
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        sync_playwright() as playwright,
        launched(playwright) as browser,
    ):
        section = searched(Path(work), browser, rounds) | _looking(Path(work), browser, rounds)
    for name, value in section.items():
        print(f"  {name:24} {value:10.4g}", flush=True)
    return section


def _looking(folder: Path, browser: Browser, rounds: int) -> dict[str, float]:
    with running_stack(folder=folder / "stack", port=free_port()) as stack:
        pack, key = _two_revisions(stack)
        url = stack["api_url"] + "/console"
        # The first request starts the function.
        first = [_first_content(browser, url) for _ in range(max(20, 4 * rounds) + 1)][1:]
        compared = [_comparison(browser, url, key, pack) for _ in range(2 * rounds + 1)][1:]
    frames = [frame for _, _, some in compared for frame in some]
    return {
        "first_content_ms": round(statistics.median(first)),
        "first_content_p95_ms": round(p95(first)),
        "diff_first_ms": round(statistics.median(began for began, _, _ in compared)),
        "diff_files_ms": round(statistics.median(listed for _, listed, _ in compared)),
        "frame_ms": round(statistics.median(frames), 1),
        "frame_p95_ms": round(p95(frames), 1),
    }


def _two_revisions(stack: StackDescription) -> tuple[str, str]:
    """Return the id of a pack all of whose files have changed but `pack.yaml`, and the key of its owner."""
    client = empty_organisation(stack)

    def version(number: str, word: bytes) -> PackArchive:
        files = {
            f"guides/{n // 100:02}/step-{n:04}.md": b"# Step\n\n%s %d\n" % (word, n)
            for n in range(_CHANGED_FILES)
        }
        return PackArchive(name="large", version=number, files=files)

    pack = published(client, version("1.0.0", b"Read"))
    again = {"archive": ("pack.tar.gz", version("1.1.0", b"Write").build(), "application/gzip")}
    answer = client.call("POST", f"/packs/{pack}/upload", fields=again)
    if answer.status != _OK or client.key is None:
        raise ProgramFailed(f"the second revision was not taken: {answer.body}")
    # Then the stack has done all that follows from the upload.
    client.attested(pack)
    return pack, client.key


def _first_content(browser: Browser, url: str) -> float:
    """Return the milliseconds from asking for the page to its first content, in a profile that has nothing of it."""
    with opened(browser, url) as tab:
        tab.page.goto(url, wait_until="commit", timeout=60_000)
        return float(tab.page.evaluate(_FIRST_CONTENT))


def _comparison(browser: Browser, url: str, key: str, pack: str) -> tuple[float, float, list[float]]:
    """Return the milliseconds to what two revisions allow and to the list of files, and those of frames."""
    with opened(browser, url) as tab:
        tab.sign_in(key, "roles")
        tab.settle()
        wanted = ["#capabilities", ".virtual li"]
        began, listed = tab.page.evaluate(_FOLLOW, [f"#/packs/{pack}/diff?from=1&to=2", wanted])
        tab.settle()
        frames: list[float] = tab.page.evaluate(_SCROLL, _FRAMES)
        return float(began), float(listed), frames
