"""POST /agent-roles/{role_id}/pull-token: a login of some minutes, for the images that the role pins."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.pull_login import login_response
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.post("/agent-roles/<role_id>/pull-token")
def issue_pull_token(role_id: str) -> Response[str]:
    """Answer 200 with the login, or 404 when there is no such role."""
    services = bootstrap.services()
    settings = services.settings
    caller = writer(app.current_event, api_domain=settings.api_domain, create=False, scope=WRITE_ROLES)
    login = services.pull_tokens.login(role_id, caller=caller)
    door = settings.door_host or f"{caller.org_slug}.{settings.api_domain}"
    return login_response(login, door=door, role_id=role_id)


bootstrap.prepare(lambda services: (services.pull_tokens, services.secrets_manager))
lambda_handler = serve(app, bootstrap.invocation_begins)
