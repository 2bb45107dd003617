from tests.aws import delivery_queues_in_memory
from tests.command import Command
from tests.service import Service


def test_a_webhook_is_made_listed_changed_and_removed(packyard: Command) -> None:
    made = packyard("webhooks", "add", "https://example.com/a", "--type", "pack.created", "--json")
    assert made.exit_code == 0, made.out + made.err
    webhook = made.document["id"]
    listed = packyard("webhooks", "list")
    shown = packyard("webhooks", "show", webhook)
    edited = packyard(
        "webhooks", "edit", webhook, "--disable", "--all-types", "--description", "off", "--json"
    )
    removed = packyard("webhooks", "remove", webhook, "--yes")

    assert made.document["secret"].startswith("whsec_")
    assert listed.out.splitlines()[1].split() == ["active", "https://example.com/a", "pack.created", webhook]
    assert "types: pack.created" in shown.out.splitlines()
    assert (edited.document["state"], edited.document["types"]) == ("disabled", [])
    assert removed.out == "The webhook is deleted.\n"
    assert packyard("webhooks", "list").out == "No webhooks.\n"


def test_a_secret_is_alone_on_standard_output(packyard: Command) -> None:
    added = packyard("webhooks", "add", "https://example.com/a")
    (webhook,) = packyard("webhooks", "list", "--json").document["webhooks"]
    rotated = packyard("webhooks", "rotate", webhook["id"])

    for ran in (added, rotated):
        (secret,) = ran.out.splitlines()
        assert secret.startswith("whsec_")
        assert "shown this once" in ran.err
    assert added.out != rotated.out


def test_a_test_and_deliveries(packyard: Command, service: Service) -> None:
    delivery_queues_in_memory(service.aws.sqs)
    webhook = packyard("webhooks", "add", "https://example.com/a", "--json").document["id"]
    tried = packyard("webhooks", "test", webhook, "--json")

    assert len(tried.document["delivery_id"]) == 26
    assert packyard("webhooks", "deliveries", webhook).out == "No deliveries in the last seven days.\n"
    assert packyard("webhooks", "redeliver", webhook, tried.document["delivery_id"]).exit_code == 6
    assert packyard("webhooks", "add", "https://10.0.0.1/").exit_code == 3
