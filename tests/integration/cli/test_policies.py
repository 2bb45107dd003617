"""`packyard version-policy`, and what `push` says when a policy refuses a version."""

from pathlib import Path

from tests.command import Command, pack_folder
from tests.service import ACME, Service

from packyard.tenants.org import BillingPosture, Org
from packyard_cli.failure import Exit


def test_the_version_policy_is_shown_and_set(packyard: Command, service: Service) -> None:
    org = Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE)
    service.services.tenants.put_org(org)

    assert packyard("version-policy").out.startswith("free: ")
    assert packyard("version-policy", "immutable", "--json").document == {"version_policy": "immutable"}
    assert packyard("version-policy", "-q").out == "immutable\n"
    assert packyard("version-policy", "frozen").exit_code == Exit.USAGE


def test_a_push_under_a_taken_version_says_which_version_is_free(
    packyard: Command, service: Service, tmp_path: Path
) -> None:
    org = Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE)
    service.services.tenants.put_org(org)
    folder = pack_folder(tmp_path / "pack")
    assert packyard("push", folder).exit_code == 0
    assert packyard("version-policy", "immutable").exit_code == 0
    (folder / "guides" / "post.md").write_text("Other words.\n")

    for option in ((), ("--dry-run",)):
        ran = packyard("push", folder, *option)

        assert ran.exit_code == Exit.CONFLICT
        assert "1.4.0 was published with another content" in ran.err
        assert "Write version: 1.4.1 into pack.yaml, and push again." in ran.err

    (folder / "pack.yaml").write_text((folder / "pack.yaml").read_text().replace("1.4.0", "1.4.1"))
    assert packyard("push", folder).exit_code == 0
