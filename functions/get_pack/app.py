"""GET /packs/{id}: one pack that the caller can see."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.views import pack_response
from packyard.operations import read

app = make_app()


@app.get("/packs/<pack_id>")
def get_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack, or 404."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    pack = read.get_pack(pack_id, caller=caller, packs=services.packs)
    return pack_response(200, pack, caller)


bootstrap.prepare(lambda services: services.packs)
lambda_handler = serve(app, bootstrap.invocation_begins)
