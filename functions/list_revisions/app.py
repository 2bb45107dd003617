"""Reading the revisions of a pack: its history, the pack as it was at one, and the roles that reference it.

Each route loads its own: a function that starts is not to wait for the others.
"""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.tenants.caller import Caller

app = make_app()


def _page_reader(services: Services) -> Caller:
    api_domain = services.settings.api_domain
    return reader(app.current_event, api_domain=api_domain, narrowed=True, query=PAGE_QUERY)


@app.get("/packs/<pack_id>/revisions")
def list_revisions(pack_id: str) -> Response[str]:
    """Answer 200 with a page of revisions; 404 to other organisations, since entries name actors."""
    from packyard.http.revisions import history_view
    from packyard.operations.owned_pack import owned_pack
    from packyard.store import history

    services = bootstrap.services()
    caller = _page_reader(services)
    binding = history.binding(org_id=caller.org_id, pack_id=pack_id)
    asked = read_page_request(app.current_event, binding, services.cursors)
    pack = owned_pack(pack_id, actor=caller, packs=services.packs)
    page = history.list_revisions(services.table, pack_id=pack.id, limit=asked.limit, position=asked.position)
    return json_response(200, history_view(page, binding, services.cursors))


@app.get("/packs/<pack_id>/revisions/<n>")
def get_revision(pack_id: str, n: str) -> Response[str]:
    """Answer 200 with the pack as it was; 404 for a revision that the caller may not see."""
    from packyard.http.revision import revision_view
    from packyard.http.revision_field import NUMBER, parse_revision
    from packyard.operations.pack_at import revision_at

    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    number = parse_revision(n, NUMBER.name)
    found = revision_at(pack_id, number, caller=caller, packs=services.pack_revisions)
    return json_response(200, revision_view(found, caller))


@app.get("/packs/<pack_id>/references")
def list_references(pack_id: str) -> Response[str]:
    """Answer 200 with a page of roles, and for the pack's owner how many roles of others there are."""
    from packyard.http.references import references_view
    from packyard.operations.references import references_of
    from packyard.store.references import binding

    services = bootstrap.services()
    caller = _page_reader(services)
    bound = binding(org_id=caller.org_id, pack_id=pack_id)
    asked = read_page_request(app.current_event, bound, services.cursors)
    found = references_of(services.table, pack_id, caller=caller, limit=asked.limit, position=asked.position)
    return json_response(200, references_view(found, bound, services.cursors))


def _load_routes(_: Services) -> None:
    from packyard.http import references, revision, revision_field, revisions  # noqa: F401 - the first of each
    from packyard.operations import owned_pack, pack_at  # noqa: F401


bootstrap.prepare(
    _load_routes,
    lambda services: (services.packs, services.pack_revisions),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
