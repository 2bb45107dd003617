"""PUT /agent-roles/{role_id}/packs: replaces the packs of a role."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_conditions
from packyard.http.roles import read_assignment, require_role_id, role_response
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.put("/agent-roles/<role_id>/packs")
def set_role_packs(role_id: str) -> Response[str]:
    """Answer 200 with the list as it is now. Billing does not gate it, since it creates no pack."""
    services = bootstrap.services()
    caller = writer(
        app.current_event, api_domain=services.settings.api_domain, create=False, scope=WRITE_ROLES
    )
    require_role_id(role_id)
    assignment = read_assignment(app.current_event)
    conditions = read_conditions(app.current_event)
    state = services.role_setter.set_packs(
        role_id,
        assignment.wishes,
        caller=caller,
        accepts=assignment.accepts,
        if_match=conditions.if_match,
        create_only=conditions.create_only,
    )
    return role_response(state)


bootstrap.prepare(lambda services: services.role_setter)
lambda_handler = serve(app, bootstrap.invocation_begins)
