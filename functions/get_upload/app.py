"""GET /packs/uploads/{upload_id}: how far a staged upload is."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.uploads import upload_view

app = make_app()


@app.get("/packs/uploads/<upload_id>")
def get_upload(upload_id: str) -> Response[str]:
    """Answer 200 with the upload, or 404."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    return json_response(200, upload_view(services.uploads.get(upload_id, caller=caller)))


bootstrap.prepare(lambda services: services.uploads)
lambda_handler = serve(app, bootstrap.invocation_begins)
