import pytest

from packyard.oci.digest import digest_of, parse_digest

# FIPS 180-2, appendix B.1: the digest of `abc`.
ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_digest_is_of_the_bytes() -> None:
    assert digest_of(b"abc") == ABC


def test_a_canonical_digest_is_one() -> None:
    assert parse_digest(ABC) == ABC


@pytest.mark.parametrize(
    "text",
    [
        "",
        ABC.removeprefix("sha256:"),
        ABC.upper(),
        ABC[:-1],
        ABC + "0",
        ABC + "\n",
        ABC.replace("sha256", "sha512"),
        f" {ABC}",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        parse_digest(text)
