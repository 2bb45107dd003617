"""How the environment states settings."""

import pytest

from packyard.composition.settings import Settings, Variable, required, variables
from packyard.packs.archive.limits import ArchiveLimits

NEEDED = dict.fromkeys(required(), "https://stated.example")


def test_a_setting_that_has_no_default_must_be_there() -> None:
    for name in required():
        with pytest.raises(KeyError, match=name):
            Settings.from_environment({other: text for other, text in NEEDED.items() if other != name})


def test_what_is_not_stated_has_its_default() -> None:
    settings = Settings.from_environment(NEEDED)

    assert settings.archive_limits == ArchiveLimits()
    assert settings.jwt is None
    assert settings.repository_prefix == "packs"


NUMBERS = [variable for variable in variables() if variable.kind is int]


@pytest.mark.parametrize("variable", NUMBERS, ids=[variable.name for variable in NUMBERS])
def test_a_number_is_read_into_its_field_and_nothing_else_is_a_number(variable: Variable) -> None:
    settings = Settings.from_environment(NEEDED | {variable.name: "7"})

    holder = settings if hasattr(settings, variable.field) else settings.archive_limits
    assert getattr(holder, variable.field) == 7
    with pytest.raises(ValueError, match=f"^{variable.name}: must be a whole number$"):
        Settings.from_environment(NEEDED | {variable.name: "7 MiB"})


def test_an_unknown_kind_of_registry_is_refused_by_the_variable_s_name() -> None:
    with pytest.raises(
        ValueError, match=r"^PACKYARD_REGISTRY_KIND: 'docker' is not one of ecr, distribution$"
    ):
        Settings.from_environment(NEEDED | {"PACKYARD_REGISTRY_KIND": "docker"})
