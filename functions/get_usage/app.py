"""GET /usage: what the caller's organisation uses, of what, and until when."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.usage import usage_view
from packyard.tenants.caller import READ_AUDIT

app = make_app()


@app.get("/usage")
def get_usage() -> Response[str]:
    """Answer 200 with the usage as it is now."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, scope=READ_AUDIT)
    return json_response(200, usage_view(services.usage.read(caller.org_id, now=services.clock())))


bootstrap.prepare(lambda services: services.usage)
lambda_handler = serve(app, bootstrap.invocation_begins)
