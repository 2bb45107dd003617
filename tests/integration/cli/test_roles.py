"""What the command does with roles against the real handlers."""

from tests.command import Command


def test_a_login_at_the_registry_itself_is_asked_for_and_refused_where_that_is_not_ecr(
    packyard: Command,
) -> None:
    refused = packyard("roles", "pull-token", "support", "--registry")

    assert refused.exit_code == 3
    assert "registry is not Amazon ECR" in refused.err
    assert "distribution door" in refused.err
