"""DELETE /packs/{id}: deletes a pack and every version of its image."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_if_match

app = make_app()


@app.delete("/packs/<pack_id>")
def delete_pack(pack_id: str) -> Response[str]:
    """Answer 200 when the pack is deleted, also when it was deleted before."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, create=False)
    services.deleter.delete(pack_id, caller=caller, if_match=read_if_match(app.current_event))
    return json_response(200, {"status": "deleted"})


bootstrap.prepare(lambda services: services.deleter)
lambda_handler = serve(app, bootstrap.invocation_begins)
