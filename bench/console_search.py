"""Somebody who types into the console's search among ten thousand packs."""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import urllib3
from local.emulator import HOST
from local.seeds import new_organisation, seeding_events
from playwright.sync_api import Browser, Request, expect
from tests.aws import TABLE, create_table
from tests.e2e.console.tab import Tab, opened

from bench.built_api import running_api
from bench.cold_start import ENVIRONMENT
from bench.many_packs import WORDS, packs, write
from bench.meter import metered
from bench.processes import ProgramFailed
from bench.samples import p95
from bench.table_emulator import running_dynalite
from packyard.store.table import Action, Put, Table, Update
from packyard.store.tenants import TenantStore

_OK: Final = 200
_PACKS: Final = 10_000
# Of few first letters, since what they begin with is indexed; from words of thousands of packs to those of a few.
_LETTERS: Final = "bm"
_SOME: Final = [word for word in WORDS if word[0] in _LETTERS]
_TYPED: Final = (*(_SOME[rank] for rank in (0, 5, 20, 80, 250, 500, 700)), f"{_SOME[1]} {_SOME[40]}")
# Between two keys: somebody who types 40 to 100 words a minute.
_PAUSES_MS: Final = (120, 300)
_QUICK_PAUSE_MS: Final = 50
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


def searched(folder: Path, browser: Browser, rounds: int) -> dict[str, float]:
    """Return what `measure_console` says of a search.

    Args:
        folder: For temporary data.
        browser: The browser.
        rounds: How often each word is typed.
    """
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
            for tab, words, begun in _emptied(browser, url, key):
                taken += _type(tab, words, pauses)
                requests += _searches(tab, begun)
            for tab, words, begun in _emptied(browser, url, key):
                tab.page.keyboard.type(words, delay=_QUICK_PAUSE_MS)
                last.append(_took(tab, words)[0])
                quick += _searches(tab, begun)
    return {
        "key_p50_ms": round(statistics.median(whole for whole, _ in taken)),
        "key_p95_ms": round(p95([whole for whole, _ in taken])),
        "page_p50_ms": round(statistics.median(own for _, own in taken)),
        "page_p95_ms": round(p95([own for _, own in taken])),
        "answer_ms": round(statistics.median(answers)),
        "answer_p95_ms": round(p95(answers)),
        "requests_a_key": round(len(requests) / len(taken), 3),
        "answers_unused": sum(request.failure is not None for request in [*requests, *quick]),
        "quick_last_ms": round(p95(last)),
        "quick_requests_a_key": round(len(quick) / len(taken), 3),
    }


def _emptied(browser: Browser, url: str, key: str) -> Iterator[tuple[Tab, str, int]]:
    """Yield an empty search for each of the words, and how many requests there were, in a page that knows nothing."""
    with opened(browser, f"{url}/console") as tab:
        tab.page.add_init_script(_WATCH)
        tab.sign_in(key, "packs")
        for words in _TYPED:
            _empty(tab)
            yield tab, words, len(tab.requests)


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
            environment=ENVIRONMENT
            | {
                "AWS_ENDPOINT_URL": meter.url,
                # A meter takes longer than an answer of the table.
                "AWS_ENDPOINT_URL_DYNAMODB": f"http://{HOST}:{dynalite.port}",
                "PACKYARD_TABLE": TABLE,
            },
            logs=folder,
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
