"""POST /packs: a pack of an image in any registry."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.idempotency import answered_once
from packyard.http.image_ref import read_registration
from packyard.http.preconditions import refuse_conditions
from packyard.http.views import pack_response

app = make_app()


@app.post("/packs")
def create_pack() -> Response[str]:
    """Answer 201 with the new pack, or 200 with the one that is there when this is a repeat."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    refuse_conditions(app.current_event)
    asked = read_registration(app.current_event)

    def register() -> Response[str]:
        published = services.registrar.create(asked.reference, visibility=asked.visibility, actor=caller)
        return pack_response(201 if published.changed else 200, published.pack, caller)

    return answered_once(app, services, register, caller=caller, request=(asked,))


bootstrap.prepare(lambda services: (services.once, services.registrar))
lambda_handler = serve(app, bootstrap.invocation_begins)
