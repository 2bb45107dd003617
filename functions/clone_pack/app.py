"""POST /packs/{id}/clone: a copy of a visible pack for the caller's organisation."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.clone import read_clone
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import refuse_conditions
from packyard.http.views import pack_response

app = make_app()


@app.post("/packs/<pack_id>/clone")
def clone_pack(pack_id: str) -> Response[str]:
    """Answer 201 with the clone, or 200 with the one that is there when this is a repeat."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    refuse_conditions(app.current_event)
    asked = read_clone(app.current_event)

    def clone() -> Response[str]:
        published = services.cloner.clone(
            pack_id, name=asked.name, visibility=asked.visibility, caller=caller
        )
        return pack_response(201 if published.changed else 200, published.pack, caller)

    return answered_once(app, services, clone, caller=caller, request=(pack_id, asked))


bootstrap.prepare(lambda services: (services.once, services.cloner))
lambda_handler = serve(app, bootstrap.invocation_begins)
