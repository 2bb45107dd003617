"""The goals of the benchmark, and what was measured: the section `goals` of the results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Results = Mapping[str, Any]
_BASELINE: Final = "boto3_client_only_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal.

    Attributes:
        what: What is measured, and beside what.
        most: The largest value that meets the goal.
        measured: Returns the value from the results of all sections.
    """

    what: str
    most: float
    measured: Callable[[Results], float]


def _ratio(section: Mapping[str, float], one: str, other: str) -> float:
    return section[one] / section[other]


def _slowest_init(results: Results) -> float:
    section = results["cold_start"]
    slowest: float = max(each["init_ms"] for each in section.values() if isinstance(each, dict))
    return slowest / float(section[_BASELINE])


GOALS: Final = (
    Goal(
        what="280 MB, archive to pushed image, beside umoci + skopeo",
        most=0.30,
        measured=lambda results: _ratio(results["build"]["pack"], "packyard_s", "umoci_skopeo_s"),
    ),
    Goal(
        what="280 MB, archive to pushed image, beside buildah",
        most=0.15,
        measured=lambda results: _ratio(results["build"]["pack"], "packyard_s", "buildah_s"),
    ),
    Goal(
        what="60 KB, whole process, beside umoci + skopeo",
        most=1.5,
        measured=lambda results: _ratio(results["build"]["small"], "packyard_s", "umoci_skopeo_s"),
    ),
    Goal(
        what="peak memory, 50 MB, in MB",
        most=128,
        measured=lambda results: float(results["build"]["50_mb"]["peak_rss_mb"]),
    ),
    Goal(
        what="peak memory, 1 GiB, in MB",
        most=128,
        measured=lambda results: float(results["build"]["1_gib"]["peak_rss_mb"]),
    ),
    Goal(
        what="280 MB built with six processors, beside two",
        most=0.50,
        measured=lambda results: (
            results["processors"]["6"]["build_s"] / results["processors"]["2"]["build_s"]
        ),
    ),
    Goal(
        what="one file changed in the 280 MB pack, beside a rebuild",
        most=0.10,
        measured=lambda results: _ratio(results["edit"], "packyard_s", "rebuild_s"),
    ),
    Goal(
        what="twenty files in five places changed at once, beside a rebuild",
        most=0.30,
        measured=lambda results: _ratio(results["edit"], "twenty_files_s", "rebuild_s"),
    ),
    Goal(
        what="bytes pushed for one changed file, beside the image's",
        most=0.10,
        measured=lambda results: float(results["edit"]["pushed_part"]),
    ),
    Goal(
        what="bytes that a node pulls for it, beside the image's",
        most=0.10,
        measured=lambda results: float(results["edit"]["pulled_part"]),
    ),
    Goal(
        what="whole archive sent again with one file changed, beside a first build",
        most=0.55,
        measured=lambda results: _ratio(results["edit"], "reupload_s", "rebuild_s"),
    ),
    Goal(
        what="two revisions of the 280 MB pack compared, warm, in ms",
        most=60,
        measured=lambda results: float(results["edit"]["diff_ms"]),
    ),
    Goal(
        what="50 KB out of a layer that we built, beside skopeo copy",
        most=0.05,
        measured=lambda results: float(results["read_file"]["ratio"]),
    ),
    Goal(
        what="50 KB out of a single-stream gzip layer of 76 MB, beside skopeo copy",
        most=0.08,
        measured=lambda results: float(results["read_file"]["third_party_gzip"]["ratio"]),
    ),
    Goal(
        what="packyard --help, whole process, in seconds",
        most=0.15,
        measured=lambda results: float(results["command"]["help_s"]),
    ),
    Goal(
        what="packyard check of the small pack, whole process, in seconds",
        most=0.25,
        measured=lambda results: float(results["command"]["check_small_s"]),
    ),
    Goal(
        what="packyard push of one file changed in the 280 MB pack, beside its archive by curl",
        most=0.15,
        measured=lambda results: _ratio(results["command"], "push_changed_s", "push_archive_s"),
    ),
    Goal(
        what="packyard install after that change, beside a first install",
        most=0.15,
        measured=lambda results: _ratio(results["command"], "install_changed_s", "install_s"),
    ),
    Goal(
        what="packyard install of it, the first time, beside skopeo + umoci",
        most=0.5,
        measured=lambda results: _ratio(results["command"], "install_s", "skopeo_umoci_s"),
    ),
    Goal(
        what="index of the largest role, warm, ms",
        most=40,
        measured=lambda results: float(results["doors"]["role_ms"]),
    ),
    Goal(
        what="that index, beside reading its packs from the registry",
        most=0.02,
        measured=lambda results: _ratio(results["doors"], "role_ms", "role_anew_ms"),
    ),
    Goal(
        what="a skill of 10 files through a door, beside git clone --depth 1",
        most=0.5,
        measured=lambda results: _ratio(results["doors"], "skill_ms", "git_clone_ms"),
    ),
    Goal(
        what="the console's first content, with nothing cached, median of 20, ms",
        most=500,
        measured=lambda results: float(results["console"]["first_content_ms"]),
    ),
    Goal(
        what="a key of a search among 10,000 packs until its answer is drawn, p95, ms",
        most=100,
        measured=lambda results: float(results["console"]["key_p95_ms"]),
    ),
    Goal(
        what="requests of that search for each key",
        most=1,
        measured=lambda results: float(results["console"]["requests_a_key"]),
    ),
    Goal(
        what="first content of two revisions with 2,000 changed files, ms",
        most=700,
        measured=lambda results: float(results["console"]["diff_first_ms"]),
    ),
    Goal(
        what="a frame while the list of these files scrolls, p95, ms",
        most=17,
        measured=lambda results: float(results["console"]["frame_p95_ms"]),
    ),
    Goal(what="slowest INIT, beside one boto3 client", most=1.5, measured=_slowest_init),
)


def compared(results: Results) -> dict[str, dict[str, float]]:
    """Return each goal with what was measured; those are left out whose section has not been measured."""
    found = {}
    for goal in GOALS:
        try:
            measured = goal.measured(results)
        except KeyError:
            continue
        found[goal.what] = {"goal": goal.most, "measured": round(measured, 3)}
    return found


def table(goals: Mapping[str, Mapping[str, float]]) -> str:
    """Return the goals as a table; a star is at what is missed."""
    lines = [f"\n{'':76}{'goal':>8}{'measured':>10}"]
    for what, values in goals.items():
        missed = " *" if values["measured"] > values["goal"] else ""
        lines.append(f"{what:76}{values['goal']:8g}{values['measured']:10.3g}{missed}")
    return "\n".join(lines)
