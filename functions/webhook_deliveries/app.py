"""The deliveries to a webhook: listing them, sending a test, and sending an event again."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.deliveries import delivery_page_view, read_delivery_list
from packyard.http.idempotency import answered_once
from packyard.http.json_body import read_nothing
from packyard.http.page_limit import PAGE_QUERY
from packyard.http.preconditions import refuse_conditions
from packyard.tenants.caller import READ_AUDIT, WRITE_HOOKS, Caller

app = make_app()


def _writer(services: Services) -> Caller:
    caller = writer(app.current_event, api_domain=services.settings.api_domain, scope=WRITE_HOOKS)
    refuse_conditions(app.current_event, why="a delivery has no revisions")
    read_nothing(app.current_event)
    return caller


@app.get("/webhooks/<webhook_id>/deliveries")
def list_deliveries(webhook_id: str) -> Response[str]:
    """Answer 200 with a page of the deliveries of the last seven days, the newest event first."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, scope=READ_AUDIT, query=PAGE_QUERY
    )
    asked = read_delivery_list(app.current_event, webhook_id, caller, services.cursors)
    page = services.deliveries.page(webhook_id, caller=caller, limit=asked.limit, position=asked.position)
    return json_response(200, delivery_page_view(page, webhook_id, caller, services.cursors))


@app.post("/webhooks/<webhook_id>/test")
def send_test(webhook_id: str) -> Response[str]:
    """Answer 202: a test is on its way, under the id that is answered."""
    services = bootstrap.services()
    caller = _writer(services)

    def send() -> Response[str]:
        return json_response(202, {"delivery_id": services.deliveries.test(webhook_id, caller=caller)})

    return answered_once(app, services, send, caller=caller, request=(webhook_id,))


@app.post("/webhooks/<webhook_id>/deliveries/<delivery_id>/redelivery")
def send_again(webhook_id: str, delivery_id: str) -> Response[str]:
    """Answer 202: the event is on its way again."""
    services = bootstrap.services()
    caller = _writer(services)

    def send() -> Response[str]:
        services.deliveries.send_again(webhook_id, delivery_id, caller=caller)
        return json_response(202, {"delivery_id": delivery_id})

    return answered_once(app, services, send, caller=caller, request=(webhook_id, delivery_id))


bootstrap.prepare(
    lambda services: (services.once, services.deliveries),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
