"""PUT /packs/{id}: moves a pack to another tag or digest of its image, or back to an earlier revision's."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.image_ref import read_replacement
from packyard.http.preconditions import read_if_match
from packyard.http.views import pack_response

if TYPE_CHECKING:
    from packyard.operations.published import Published
    from packyard.operations.register import Registrar

app = make_app()


@app.put("/packs/<pack_id>")
def replace_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    target = read_replacement(app.current_event)
    if_match = read_if_match(app.current_event)

    def replace(registrar: "Registrar") -> "Published":
        return registrar.replace(pack_id, target, actor=caller, if_match=if_match)

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        published = replace(dry_run.registrar(services.registrar))
        return dry_run_response(dry_run.outcome(published, actor=caller))
    published = replace(services.registrar)
    return pack_response(200, published.pack, caller, warnings=published.warnings)


bootstrap.prepare(lambda services: services.registrar)
lambda_handler = serve(app, bootstrap.invocation_begins)
