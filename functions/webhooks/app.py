"""The webhooks of the caller's organisation: listing, making, reading, changing, deleting and rotating them."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.idempotency import answered_once
from packyard.http.json_body import read_nothing
from packyard.http.preconditions import read_if_match, refuse_conditions
from packyard.http.webhooks import (
    made_before,
    read_webhook_change,
    read_webhook_request,
    secret_response,
    webhook_response,
    webhook_view,
)
from packyard.tenants.caller import WRITE_HOOKS, Caller

app = make_app()


def _writer(services: Services, *, create: bool = True) -> Caller:
    return writer(
        app.current_event, api_domain=services.settings.api_domain, create=create, scope=WRITE_HOOKS
    )


@app.get("/webhooks")
def list_webhooks() -> Response[str]:
    """Answer 200 with all webhooks, of which there are at most 20."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    webhooks = services.webhook_store.of(caller.org_id).values()
    return json_response(200, {"webhooks": [webhook_view(webhook) for webhook in webhooks]})


@app.post("/webhooks")
def create_webhook() -> Response[str]:
    """Answer 201 with the webhook and, this once, its secret."""
    services = bootstrap.services()
    caller = _writer(services)
    refuse_conditions(app.current_event, why="this makes a new webhook, and never changes one that is there")
    asked = read_webhook_request(app.current_event)

    def create() -> Response[str]:
        return secret_response(201, services.webhooks.create(asked, caller=caller))

    return answered_once(app, services, create, caller=caller, request=(asked,), repeated=made_before)


@app.get("/webhooks/<webhook_id>")
def get_webhook(webhook_id: str) -> Response[str]:
    """Answer 200 with the webhook."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return webhook_response(services.webhooks.get(webhook_id, caller=caller))


@app.patch("/webhooks/<webhook_id>")
def change_webhook(webhook_id: str) -> Response[str]:
    """Answer 200 with the webhook as it is now."""
    services = bootstrap.services()
    caller = _writer(services)
    if_match = read_if_match(app.current_event)
    changes = read_webhook_change(app.current_event)
    return webhook_response(services.webhooks.change(webhook_id, changes, caller=caller, if_match=if_match))


@app.delete("/webhooks/<webhook_id>")
def delete_webhook(webhook_id: str) -> Response[str]:
    """Answer 200 when the webhook is gone; 404 when there is none."""
    services = bootstrap.services()
    caller = _writer(services, create=False)
    services.webhooks.delete(webhook_id, caller=caller, if_match=read_if_match(app.current_event))
    return json_response(200, {"status": "deleted"})


@app.post("/webhooks/<webhook_id>/rotate")
def rotate_secret(webhook_id: str) -> Response[str]:
    """Answer 200 with the webhook and, this once, its new secret."""
    services = bootstrap.services()
    caller = _writer(services)
    if_match = read_if_match(app.current_event)
    read_nothing(app.current_event)

    def rotate() -> Response[str]:
        return secret_response(200, services.webhooks.rotate(webhook_id, caller=caller, if_match=if_match))

    return answered_once(app, services, rotate, caller=caller, request=(webhook_id,), repeated=made_before)


bootstrap.prepare(lambda services: (services.once, services.webhooks, services.kms))
lambda_handler = serve(app, bootstrap.invocation_begins)
