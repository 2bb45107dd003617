"""The URL by which clients know the deployment."""

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request

from packyard.http.own_url import link_base, own_url

PUBLIC = "https://packs.example/v1"


def event(domain: str | None, **headers: str) -> APIGatewayProxyEvent:
    made = Request(method="POST", resource="/feeds", path="/feeds", headers=headers).event()
    made["requestContext"]["path"] = "/prod/feeds"
    if domain is not None:
        made["requestContext"]["domainName"] = domain
    return APIGatewayProxyEvent(made)


@pytest.mark.parametrize(
    ("domain", "public", "expected"),
    [
        ("API.example", "", "https://api.example/prod"),
        ("api.example", PUBLIC, PUBLIC),
        # A local stack's gateway states no name, and nobody reaches it by the public one.
        (None, PUBLIC, "http://127.0.0.1:4566/prod"),
        ("", "", "http://127.0.0.1:4566/prod"),
    ],
)
def test_links_begin_with_the_name_by_which_clients_reach_the_service(
    domain: str | None, public: str, expected: str
) -> None:
    asked = event(domain, Host="127.0.0.1:4566")

    assert link_base(asked, public_url=public, path="/feeds") == expected


def test_a_proxy_before_a_local_stack_says_which_scheme_it_was_asked_by() -> None:
    asked = event(None, **{"Host": "packs.example", "X-Forwarded-Proto": "https"})

    assert own_url(asked) == "https://packs.example/prod"
