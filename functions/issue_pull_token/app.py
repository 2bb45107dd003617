"""POST /agent-roles/{role_id}/pull-token: a login for the images that the role pins, at the door or at the registry."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.pull_login import LoginAt, login_response, read_login
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.post("/agent-roles/<role_id>/pull-token")
def issue_pull_token(role_id: str) -> Response[str]:
    """Answer 200 with the login, or 404 when there is no such role."""
    services = bootstrap.services()
    settings = services.settings
    caller = writer(app.current_event, api_domain=settings.api_domain, create=False, scope=WRITE_ROLES)
    if read_login(app.current_event) is LoginAt.REGISTRY:
        logins = services.registry_logins
        granted = logins.login(role_id, caller=caller)
        return login_response(registry=logins.host, **granted._asdict())
    login = services.pull_tokens.login(role_id, caller=caller)
    door = settings.door_host or f"{caller.org_slug}.{settings.api_domain}"
    return login_response(registry=door, username=role_id, password=login.text, expires_at=login.expires_at)


# Few ask for a login at the registry, so that neither it nor STS is made ready.
bootstrap.prepare(lambda services: (services.pull_tokens, services.secrets_manager))
lambda_handler = serve(app, bootstrap.invocation_begins)
