"""What several files of a pack do together: a guide that tells to run a script, secrets read here and sent there."""

from collections.abc import Iterator, Mapping, Sequence

from packyard.scanning.catalogue import Rule
from packyard.scanning.finding import Finding

RUNS = "runs"
FETCHES = "fetches"


def across_files(facts: Mapping[str, Sequence[str]], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Yield the findings that no single file shows.

    Args:
        facts: Of each file, as `NAME:LINE`, or `runs:SCRIPT:LINE`.
        rules: All rules.
    """
    yield from _guides_that_run(facts, rules["guide.runs-fetching-script"])
    for rule in rules.values():
        if rule.needs and rule.within == "pack":
            yield from _together(facts, rule)


def _guides_that_run(facts: Mapping[str, Sequence[str]], rule: Rule) -> Iterator[Finding]:
    fetching = {
        path.rpartition("/")[2]: path
        for path, of_file in facts.items()
        if any(fact.startswith(f"{FETCHES}:") for fact in of_file)
    }
    if not fetching:
        return
    for path, of_file in facts.items():
        for fact in of_file:
            name, _, rest = fact.partition(":")
            script, _, line = rest.rpartition(":")
            target = fetching.get(script.rpartition("/")[2])
            if name == RUNS and target is not None and target != path:
                yield Finding(
                    rule=rule.id,
                    severity=rule.severity,
                    confidence=rule.confidence,
                    path=path,
                    line=int(line),
                    excerpt=f"runs {script}",
                    why=f"{rule.why} The script is {target}.",
                    advice=rule.advice,
                )


def _together(facts: Mapping[str, Sequence[str]], rule: Rule) -> Iterator[Finding]:
    where: dict[str, tuple[str, int]] = {}
    for path, of_file in facts.items():
        names = {fact.partition(":")[0] for fact in of_file}
        if rule.needs <= names:
            return  # the rule for one file has said it
        for fact in of_file:
            name, _, line = fact.rpartition(":")
            if name in rule.needs:
                where.setdefault(name, (path, int(line)))
    if rule.needs <= where.keys():
        first, *others = (where[name] for name in sorted(rule.needs))
        yield Finding(
            rule=rule.id,
            severity=rule.severity,
            confidence=rule.confidence,
            path=first[0],
            line=first[1],
            excerpt=" and ".join(f"{path}:{line}" for path, line in (first, *others)),
            why=rule.why,
            advice=rule.advice,
        )
