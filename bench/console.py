"""The page for people, in Debian's Chromium: the section `console` of the results.

First content, the comparison of two revisions and its scrolling are measured against the local stack. A search among
ten thousand packs is typed against the same functions over a table that is quick enough (`bench/built_api.py`).
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import urllib3
from local.function import free_port
from local.seeds import new_organisation, seeding_events
from local.stack import StackDescription, running_stack
from playwright.sync_api import Browser, Request, expect, sync_playwright
from tests.aws import TABLE, create_table
from tests.e2e.console.scene import empty_organisation, published
from tests.e2e.console.tab import Tab, launched, opened
from tests.service import PackArchive

from bench.built_api import running_api
from bench.cold_start import ENVIRONMENT
from bench.many_packs import WORDS, packs, write
from bench.meter import metered
from bench.processes import ProgramFailed
from bench.table_emulator import running_dynalite
from packyard.store.table import Action, Put, Table, Update
from packyard.store.tenants import TenantStore

_PACKS: Final = 10_000
_CHANGED_FILES: Final = 2_000
# Of few first letters, since what they begin with is indexed; from words of thousands of packs to those of a few.
_LETTERS: Final = "bm"
_SOME: Final = [word for word in WORDS if word[0] in _LETTERS]
_TYPED: Final = (*(_SOME[rank] for rank in (0, 5, 20, 80, 250, 500, 700)), f"{_SOME[1]} {_SOME[40]}")
# Between two keys: somebody who types 40 to 100 words a minute.
_PAUSES_MS: Final = (120, 300)
_QUICK_PAUSE_MS: Final = 50
_FRAMES: Final = 240
_OK: Final = 200
# Notes for each text in the search when its key was pressed, and when a frame with its answer was drawn.
_WATCH: Final = """
window.__typed = new Map();
window.__shown = new Map();
performance.setResourceTimingBufferSize(10_000);
document.addEventListener("input", (event) => window.__typed.set(event.target.value.trim(), event.timeStamp), true);
new MutationObserver(() => {
  const said = document.querySelector(".summary")?.textContent.match(/for “(.*)”/)?.[1];
  if (said === undefined || window.__shown.has(said)) return;
  if (document.querySelector("[aria-label=Packs][aria-busy=true]")) return;
  requestAnimationFrame(() => setTimeout(() => {
    if (!window.__shown.has(said)) window.__shown.set(said, performance.now());
  }));
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
# From the key to the frame with its answer, and what of that is not waiting for the request.
_TOOK: Final = """text => new Promise((done) => {
  const look = () => {
    if (!window.__shown.has(text)) { setTimeout(look, 5); return; }
    const typed = window.__typed.get(text);
    const took = window.__shown.get(text) - typed;
    const asked = performance.getEntriesByType("resource").findLast((entry) =>
      entry.startTime >= typed && new URL(entry.name).searchParams.get("search") === text);
    done([took, asked ? took - asked.duration : took]);
  };
  look();
})"""
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
    click on a link to it, and `diff_files_ms` its list of files; `frame_ms` is a frame while the list scrolls.
    `key_p50_ms` is what a key of a search among 10,000 packs takes until a frame with its answer is drawn, `page_p50_ms`
    what of that is not waiting for the request, and `answer_ms` what the functions take without a page. `requests_a_key`
    are the requests, `answers_unused` how many of them the page gave up. `quick_last_ms` is the last key of somebody who
    types 20 letters a second, and `quick_requests_a_key` the requests.

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
        section = _searching(Path(work), browser, rounds) | _looking(Path(work), browser, rounds)
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
        "first_content_p95_ms": round(_p95(first)),
        "diff_first_ms": round(statistics.median(began for began, _, _ in compared)),
        "diff_files_ms": round(statistics.median(listed for _, listed, _ in compared)),
        "frame_ms": round(statistics.median(frames), 1),
        "frame_p95_ms": round(_p95(frames), 1),
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


def _searching(folder: Path, browser: Browser, rounds: int) -> dict[str, float]:
    taken: list[tuple[float, float]] = []
    last: list[float] = []
    requests: list[Request] = []
    quick: list[Request] = []
    pauses = random.Random(1)  # noqa: S311 - the same each time
    with _many_packs(folder) as (url, key):
        # Functions start when they are first asked.
        _answer_ms(url, key, _TYPED[0])
        answers = [_answer_ms(url, key, words[:end]) for words in _TYPED for end in range(1, len(words) + 1)]
        for _ in range(rounds):
            # What a page has learnt is gone with its tab.
            with opened(browser, f"{url}/console") as tab:
                tab.page.add_init_script(_WATCH)
                tab.sign_in(key, "packs")
                for words in _TYPED:
                    _empty(tab)
                    begun = len(tab.requests)
                    taken += _type(tab, words, pauses)
                    requests += _searches(tab, begun)
            with opened(browser, f"{url}/console") as tab:
                tab.page.add_init_script(_WATCH)
                tab.sign_in(key, "packs")
                for words in _TYPED:
                    _empty(tab)
                    begun = len(tab.requests)
                    tab.page.keyboard.type(words, delay=_QUICK_PAUSE_MS)
                    last.append(_took(tab, words)[0])
                    quick += _searches(tab, begun)
    return {
        "key_p50_ms": round(statistics.median(whole for whole, _ in taken)),
        "key_p95_ms": round(_p95([whole for whole, _ in taken])),
        "page_p50_ms": round(statistics.median(own for _, own in taken)),
        "page_p95_ms": round(_p95([own for _, own in taken])),
        "answer_ms": round(statistics.median(answers)),
        "answer_p95_ms": round(_p95(answers)),
        "requests_a_key": round(len(requests) / len(taken), 3),
        "answers_unused": sum(request.failure is not None for request in [*requests, *quick]),
        "quick_last_ms": round(_p95(last)),
        "quick_requests_a_key": round(len(quick) / len(taken), 3),
    }


def _searches(tab: Tab, begun: int) -> list[Request]:
    return [request for request in tab.requests[begun:] if "search=" in request.url]


class _OneByOne(Table):
    """Dynalite has no transactions; nobody else writes here."""

    def transact(self, actions: Sequence[Action], *, token: str) -> None:  # noqa: ARG002 - each is done once
        for action in actions:
            if isinstance(action, Put):
                self.put(action)
            elif isinstance(action, Update):
                self.update(action)


@contextmanager
def _many_packs(folder: Path) -> Iterator[tuple[str, str]]:
    """Run an API with an organisation that has many packs; yield its URL and the organisation's key."""
    with (
        running_dynalite(folder) as dynalite,
        metered(dynalite.port, signs_cursors="of the benchmark") as meter,
        running_api(
            environment=ENVIRONMENT | {"AWS_ENDPOINT_URL": meter.url, "PACKYARD_TABLE": TABLE}, logs=folder
        ) as url,
    ):
        create_table(dynalite.client)
        table = _OneByOne(client=dynalite.client, name=TABLE, sleep=time.sleep)
        made = new_organisation(
            tenants=TenantStore(table=table, events=seeding_events()), clock=lambda: datetime.now(UTC)
        )
        write(dynalite, islice(packs(made["org_id"]), _PACKS), sought=lambda word: word[0] in _LETTERS)
        yield url, made["keys"]["full_access"]


def _empty(tab: Tab) -> None:
    tab.main.get_by_label("Search packs").fill("")
    expect(tab.main.locator(".summary")).not_to_contain_text("for “")
    tab.settle()
    tab.page.evaluate("() => { window.__typed.clear(); window.__shown.clear(); }")


def _type(tab: Tab, words: str, pauses: random.Random) -> list[tuple[float, float]]:
    """Type words into an empty search, and return what each key took, and how much of it the page itself did."""
    taken = []
    for end, letter in enumerate(words, 1):
        tab.page.keyboard.press(letter)
        # A space asks for nothing.
        if letter != " ":
            taken.append(_took(tab, words[:end]))
        tab.page.wait_for_timeout(pauses.uniform(*_PAUSES_MS))
    return taken


def _took(tab: Tab, words: str) -> tuple[float, float]:
    whole, own = tab.page.evaluate(_TOOK, words)
    return float(whole), float(own)


def _answer_ms(url: str, key: str, words: str) -> float:
    """Return the milliseconds of a search without a page."""
    fields = {"search": words, "limit": "24"}
    started = time.perf_counter()
    answer = urllib3.request(
        "GET",
        f"{url}/packs",
        fields=fields,
        headers={"Authorization": f"Bearer {key}"},
        retries=False,
        timeout=60,
    )
    if answer.status != _OK:
        raise ProgramFailed(f"a search was answered with {answer.status}: {answer.data!r}")
    return (time.perf_counter() - started) * 1000


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
