"""Every method of a store that writes says which event it leaves, or why it leaves none."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import packyard.store
from packyard.packs.event import EventType

STORE: Final = Path(packyard.store.__file__).parent
WRITES: Final = frozenset({"put", "update", "transact"})
# Of these, nobody but the service takes notice, or something else is the event.
WITHOUT_EVENT: Final = {
    "attestations": "statements about an image, whose publication is the event",
    "signing_keys": "a key that anybody may read; the operator's own records say who has changed it",
    "brought_signatures.write": "what an image brings, read again; the registration is the event",
    "feed_uses": "from where a feed was used; from many places on, that is an event of its own",
    "build_slots": "places of builds, for as long as they run",
    "pack_counts": "a count that is corrected; nothing that is counted changes",
    "packs.adopt_image": "what the service has done to a registry, for its own later use",
    "deletions.begin": "the deletion is an event when it ends",
    "idempotency_records": "an answer that is kept for a while",
    "repositories": "holds on repositories, for as long as something is at work there",
    "webhooks._note": "that a webhook fails or works again, which its deliveries say too",
    "deliveries": "what came of telling of an event",
    "removals.begin": "the deletion is an event when it ends",
    "removals._change": "the deletion is an event when it ends",
    "roles._complete": "what a history of before lacks; the revision is an event already",
    "told_roles._write": "what roles are told has its events in `tell_stale` and `tell_state`",
    "uploads": "how far a staged upload is; the pack that comes of it is the event",
}


def writing_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(STORE.glob("*.py")):
        if path.stem == "table":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(map(is_write, ast.walk(node))):
                yield f"{path.stem}.{node.name}", node


def is_write(node: ast.AST) -> bool:
    """Return whether a node calls a writing method of a table."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = node.func.value
    named = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
    return node.func.attr in WRITES and named in {"_table", "table"}


def makes_event(function: ast.FunctionDef) -> bool:
    """Return whether a function calls the `put` of an `EventLog`."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).removeprefix("self.").lstrip("_") == "events.put"
        for node in ast.walk(function)
    )


def test_a_method_that_writes_makes_an_event_or_says_why_not() -> None:
    without = {name for name, function in writing_functions() if not makes_event(function)}
    with_event = {name for name, function in writing_functions() if makes_event(function)}

    unexplained = {name for name in without if not {name, name.partition(".")[0]} & WITHOUT_EVENT.keys()}
    assert not unexplained, "add the event to the transaction, or the reason to WITHOUT_EVENT"
    assert {"packs.create", "packs.change", "deletions.finish", "roles._commit"} <= with_event


def test_no_explanation_is_left_over() -> None:
    without = {name for name, function in writing_functions() if not makes_event(function)}
    modules = {name.partition(".")[0] for name in without}

    assert WITHOUT_EVENT.keys() <= without | modules


def test_types_are_named_as_the_contract_names_them() -> None:
    contract = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
    section = contract.partition("## 9. ")[2].partition("## 10. ")[0]

    # The operator's changes to organisations are not in the contract (decision 102), and neither is that a feed was
    # used from many places (decision 137).
    assert {kind for kind in EventType if f"`{kind}`" not in section} == {
        EventType.ORG_CREATED,
        EventType.ORG_UPDATED,
        EventType.FEED_SHARED,
    }
