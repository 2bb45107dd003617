import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.reference import Reference, parse_reference, parse_registry, same_repository

DIGEST = f"sha256:{'0123456789abcdef' * 4}"

NORMAL_FORMS = {
    "redis": "docker.io/library/redis:latest",
    "redis:7": "docker.io/library/redis:7",
    "acme/pack": "docker.io/acme/pack:latest",
    "docker.io/redis": "docker.io/library/redis:latest",
    "index.docker.io/redis": "docker.io/library/redis:latest",
    "index.docker.io:443/redis": "docker.io/library/redis:latest",
    "docker.io/library/redis": "docker.io/library/redis:latest",
    "Docker.IO/redis": "docker.io/library/redis:latest",
    "library/redis": "docker.io/library/redis:latest",
    "host:5000": "docker.io/library/host:5000",
    "ghcr.io/acme/pack:1.4.0": "ghcr.io/acme/pack:1.4.0",
    "GHCR.io/acme/pack:V1_0": "ghcr.io/acme/pack:V1_0",
    "ghcr.io:443/acme/pack": "ghcr.io/acme/pack:latest",
    "ghcr.io/pack": "ghcr.io/pack:latest",
    "localhost/pack": "localhost/pack:latest",
    "localhost:5000/pack:1": "localhost:5000/pack:1",
    "localhost:443/pack": "localhost:443/pack:latest",
    "registry:443/pack": "registry:443/pack:latest",
    "127.0.0.1:5000/a/b_c/d__e/f---g/h.i": "127.0.0.1:5000/a/b_c/d__e/f---g/h.i:latest",
    f"ghcr.io/acme/pack@{DIGEST}": f"ghcr.io/acme/pack@{DIGEST}",
    f"ghcr.io/acme/pack:1.4.0@{DIGEST}": f"ghcr.io/acme/pack:1.4.0@{DIGEST}",
    f"redis@{DIGEST}": f"docker.io/library/redis@{DIGEST}",
    "a" * 63: f"docker.io/library/{'a' * 63}:latest",
    f"ghcr.io/pack:{'a' * 128}": f"ghcr.io/pack:{'a' * 128}",
    f"ghcr.io/{'a' * 247}": f"ghcr.io/{'a' * 247}:latest",
}

NOT_REFERENCES = {
    "": "1 to",
    " redis": "white space",
    "redis ": "white space",
    "redis\n": "white space",
    "Redis": "repository .* as in redis$",
    "ACME/pack": "repository",
    "acme//pack": "repository",
    "/pack": "repository",
    "ghcr.io/": "repository",
    "ghcr.io/acme/": "repository",
    "acme/-pack": "repository",
    "acme/pack.": "repository",
    "acme/pa___ck": "repository",
    "acme/pa..ck": "repository",
    "ghcr.io/../pack": "repository",
    "ghcr.io/acme/pack?x=y": "repository",
    "ghcr.io/acme/päck": "repository",
    "https://ghcr.io/acme/pack": "must not begin with https://; leave that out, as in ghcr.io/acme/pack$",
    "docker://redis:7/": "must not begin with docker://; leave that out, as in redis:7$",
    "oci://oci://redis": "must not begin with oci://; leave that out$",
    "https://": "must not begin with https://; leave that out$",
    "oci-archive:///tmp/pack.tar": "must name an image in a registry, .* goes to POST /packs/upload, as an archive$",
    "../pack": "must name an image in a registry",
    "docker pull redis:7": "must be a reference and nothing else, without spaces$",
    "docker pull ghcr.io/a/b:7": "without spaces, as in ghcr.io/a/b:7$",
    "ghcr.io/a/b latest": "without spaces, as in ghcr.io/a/b$",
    DIGEST: "must name a repository, as in ghcr.io/acme/slack-pack@sha256:…; this is a digest alone$",
    "ghcr.io//a/b/:1": "one of . _ - or /, as in ghcr.io/a/b:1$",
    "ghcr.io\\\\a": "one of . _ - or /, as in ghcr.io/a$",
    "ghcr.io/a:1+x": "of those, . and -, as in ghcr.io/a:1_x$",
    "ghcr.io/a:-": "of those, . and -$",
    "ghcr.io/a@1.0": "hex digits; a tag follows a colon, as in ghcr.io/a:1.0$",
    f"ghcr.io/a@{DIGEST.upper().replace('SHA256', 'sha256')}": f"hex digits, as in ghcr.io/a@{DIGEST}$",
    "Ghcr.io/Acme/Pack:RC": "repository .* as in ghcr.io/acme/pack:RC$",
    "redis:": "tag",
    "ghcr.io/acme/x:1\n": "white space, as in ghcr.io/acme/x:1",
    "user:pw@ghcr.io/acme/x": "credentials",
    "redis:.x": "tag",
    "redis:a b": "without spaces",
    f"redis:{'a' * 129}": "tag",
    "redis@": "digest",
    "redis@latest": "digest",
    f"redis@sha512:{'0' * 128}": "digest",
    f"redis@{DIGEST.upper()}": "digest",
    f"redis@{DIGEST}@{DIGEST}": "digest",
    "0" * 64: "image id",
    "[::1]:5000/pack": "IPv6",
    "[fd00:ec2::254]/pack": "IPv6",
    "user@ghcr.io/pack": "digest",
    "-a.io/pack": "registry",
    "a-.io/pack": "registry",
    "a..io/pack": "registry",
    "ghcr.io./pack": "registry",
    f"{'a' * 64}.io/pack": "registry",
    "under_score.io/pack": "registry",
    "ghcr.io:/pack": "port",
    "ghcr.io:0/pack": "port",
    "ghcr.io:0443/pack": "port",
    "ghcr.io:65536/pack": "port",
    "ghcr.io:https/pack": "port",
    f"ghcr.io/{'a' * 248}": "255",
    "a" * 1000: "1 to",
}


@pytest.mark.parametrize(("text", "normal"), NORMAL_FORMS.items(), ids=[text[:40] for text in NORMAL_FORMS])
def test_a_reference_has_a_normal_form_that_reads_back_as_itself(text: str, normal: str) -> None:
    reference = parse_reference(text)

    assert str(reference) == normal
    assert parse_reference(normal) == reference


@pytest.mark.parametrize(
    ("text", "named"), NOT_REFERENCES.items(), ids=[repr(text[:40]) for text in NOT_REFERENCES]
)
def test_an_invalid_reference_is_refused_with_the_part_that_is_wrong(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_reference(text)


def test_a_digest_decides_over_the_tag() -> None:
    assert parse_reference(f"redis:7@{DIGEST}").target == DIGEST
    assert parse_reference("redis:7").target == "7"
    assert parse_reference("redis").target == "latest"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("redis", "docker.io/library/redis:7", True),
        ("ghcr.io/acme/pack:1", f"GHCR.io:443/acme/pack@{DIGEST}", True),
        ("ghcr.io/acme/pack", "ghcr.io/acme/pack2", False),
        ("ghcr.io/acme/pack", "quay.io/acme/pack", False),
        ("localhost:5000/pack", "localhost:5001/pack", False),
    ],
)
def test_repositories_are_compared_after_normalisation(one: str, other: str, *, same: bool) -> None:
    assert same_repository(parse_reference(one), parse_reference(other)) is same


@given(st.text(max_size=80) | st.text("ab.:/@-_0A", max_size=40))
def test_any_text_is_a_reference_that_reads_back_as_itself_or_is_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ValueError:
        return
    assert parse_reference(str(reference)) == reference


HOSTS = st.from_regex(r"[a-zA-Z0-9-]{1,10}(\.[a-zA-Z0-9]{1,5}){0,2}(:[0-9]{1,5})?", fullmatch=True)
PATHS = st.from_regex(r"[a-z0-9]{1,5}([._-]{1,2}[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,5}){0,2}", fullmatch=True)


@given(HOSTS, PATHS, st.sampled_from(["", ":1.0", f"@{DIGEST}", f":x@{DIGEST}"]))
def test_what_looks_like_a_reference_reads_back_as_itself_or_is_refused(
    host: str, path: str, end: str
) -> None:
    try:
        reference = parse_reference(f"{host}/{path}{end}")
    except ValueError:
        return
    assert parse_reference(str(reference)) == reference


def test_a_registry_alone_has_the_same_normal_form() -> None:
    assert parse_registry("Index.Docker.io") == "docker.io"
    assert parse_registry("GHCR.io:443") == "ghcr.io"
    assert parse_registry("127.0.0.1:5000") == "127.0.0.1:5000"
    assert parse_reference("x") == Reference("docker.io", "library/x", "latest", None)
