"""PUT /packs/{id}: moves a pack to another tag or digest of its image."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.image_ref import read_replacement
from packyard.http.preconditions import read_if_match
from packyard.http.views import pack_response

app = make_app()


@app.put("/packs/<pack_id>")
def replace_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    reference = read_replacement(app.current_event)
    if_match = read_if_match(app.current_event)
    published = services.registrar.replace(pack_id, reference, actor=caller, if_match=if_match)
    return pack_response(200, published.pack, caller)


bootstrap.prepare(lambda services: services.registrar)
lambda_handler = serve(app, bootstrap.invocation_begins)
