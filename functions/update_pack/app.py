"""PATCH /packs/{id}: changes the visibility of a pack, and whether it is deprecated."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.pack_change import read_pack_change
from packyard.http.preconditions import read_if_match
from packyard.http.views import pack_response
from packyard.operations import update

app = make_app()


@app.patch("/packs/<pack_id>")
def update_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now; a request that changes nothing makes no revision."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    pack = update.update_pack(
        pack_id,
        read_pack_change(app.current_event),
        caller=caller,
        if_match=read_if_match(app.current_event),
        packs=services.packs,
        now=services.clock(),
    )
    return pack_response(200, pack, caller)


bootstrap.prepare(lambda services: services.packs)
lambda_handler = serve(app, bootstrap.invocation_begins)
