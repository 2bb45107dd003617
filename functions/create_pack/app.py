"""POST /packs: a pack of an image in any registry."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.idempotency import answered_once
from packyard.http.image_ref import read_registration
from packyard.http.preconditions import refuse_conditions
from packyard.http.views import pack_response

if TYPE_CHECKING:
    from packyard.operations.published import Published
    from packyard.operations.register import Registrar

app = make_app()


@app.post("/packs")
def create_pack() -> Response[str]:
    """Answer 201 with the new pack, or 200 with the one that is there when this is a repeat."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    refuse_conditions(app.current_event)
    asked = read_registration(app.current_event)

    def create(registrar: "Registrar") -> "Published":
        return registrar.create(asked.reference, visibility=asked.visibility, actor=caller)

    def register() -> Response[str]:
        published = create(services.registrar)
        status = 201 if published.changed else 200
        return pack_response(status, published.pack, caller, warnings=published.warnings)

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        published = create(dry_run.registrar(services.registrar))
        return dry_run_response(dry_run.outcome(published, actor=caller))
    return answered_once(app, services, register, caller=caller, request=(asked,))


bootstrap.prepare(lambda services: (services.once, services.registrar))
lambda_handler = serve(app, bootstrap.invocation_begins)
