"""What a client is told when its If-Match does not hold: what has happened, and what to send."""

import pytest

from packyard.packs.precondition import IfMatch

# What a compressing server or proxy makes of "5", and which.
SUFFIXED = {
    "5-gzip": "Apache httpd 2.4, mod_deflate: DeflateAlterETag AddSuffix",
    "5-br": "Apache httpd 2.4, mod_brotli: BrotliAlterETag AddSuffix",
    "5--gzip": "Jetty, GzipHandler (jetty.project issue 1416)",
    "5;gzip": "filters of application servers",
}


def message_of(if_match: IfMatch, revision: int = 5, **more: str) -> str:
    refusal = if_match.refusal(revision, **more)
    assert refusal.details == {"revision": revision}
    return refusal.message


@pytest.mark.parametrize("tags", [{"4"}, {"3", "4"}, {"50"}, {"sha256:ab"}, {"5é"}, {"4-gzip"}, set()])
def test_the_refusal_of_an_outdated_tag_states_the_current_revision(tags: set[str]) -> None:
    assert message_of(IfMatch(frozenset(tags))) == (
        "The pack is at revision 5, and If-Match names another. Read it again; if the change is still right, "
        'send it with If-Match: "5".'
    )


def test_the_refusal_of_a_weak_tag_says_what_may_have_weakened_it() -> None:
    """nginx and CloudFront do, where they compress an answer."""
    assert message_of(IfMatch(frozenset({"4"}), frozenset({"5"}))) == (
        'If-Match names W/"5", a weak entity tag, and a write takes strong ones only. A proxy that compresses '
        'answers may have changed the tag on its way to you. The pack is at revision 5: send If-Match: "5".'
    )


def test_the_refusal_of_an_outdated_weak_tag_states_the_current_revision() -> None:
    assert "Read it again" in message_of(IfMatch(frozenset(), frozenset({"4"})))


@pytest.mark.parametrize("tag", SUFFIXED)
def test_the_refusal_of_a_tag_with_a_proxy_s_suffix_names_the_suffix(tag: str) -> None:
    message = message_of(IfMatch(frozenset({tag})))

    assert message.startswith(f'If-Match names "{tag}", which is "5" with something added. A proxy')
    assert message.endswith('send If-Match: "5".')


def test_the_message_names_the_thing() -> None:
    assert "The role is at revision 2" in message_of(IfMatch(frozenset({"1"})), 2, thing="role")
