"""The benchmark compares what it measured with its goals."""

import json

from bench.__main__ import RESULTS
from bench.goals import GOALS, compared, table

EDIT = {
    "packyard_s": 1.0,
    "twenty_files_s": 4.0,
    "reupload_s": 5.0,
    "rebuild_s": 10.0,
    "pushed_part": 0.03,
    "pulled_part": 0.04,
}
TWENTY = "twenty files in five places changed at once, beside a rebuild"


def test_goals_of_sections_that_were_not_measured_are_left_out() -> None:
    goals = compared({"edit": EDIT})

    assert [values["measured"] for values in goals.values()] == [0.1, 0.4, 0.03, 0.04, 0.5]


def test_every_goal_can_be_drawn_as_what_it_is_missed_by() -> None:
    assert [goal.what for goal in GOALS if goal.most <= 0] == []


def test_a_missed_goal_has_a_star() -> None:
    starred = [line for line in table(compared({"edit": EDIT})).splitlines() if line.endswith("*")]

    assert len(starred) == 1
    assert starred[0].startswith(TWENTY)


def test_the_results_state_the_goals_of_what_they_hold() -> None:
    results = json.loads(RESULTS.read_text())

    assert results["goals"] == compared(results)
