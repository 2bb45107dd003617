"""POST /agent-roles/{role_id}/packs/refresh: moves a role's pins to the present revisions of its packs."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_if_match
from packyard.http.roles import read_refresh, require_role_id, role_response
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.post("/agent-roles/<role_id>/packs/refresh")
def refresh_role(role_id: str) -> Response[str]:
    """Answer 200 with the role as it is now; `more` says that pins are left. Billing gates it as little as the PUT."""
    services = bootstrap.services()
    caller = writer(
        app.current_event, api_domain=services.settings.api_domain, create=False, scope=WRITE_ROLES
    )
    require_role_id(role_id)
    refresh = read_refresh(app.current_event)
    state = services.role_setter.refresh(
        role_id,
        refresh.pack_ids,
        caller=caller,
        accepts=refresh.accepts,
        if_match=read_if_match(app.current_event),
    )
    return role_response(state)


bootstrap.prepare(lambda services: services.role_setter)
lambda_handler = serve(app, bootstrap.invocation_begins)
