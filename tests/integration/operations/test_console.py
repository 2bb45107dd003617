"""The page and its files, through the function's own handler."""

import base64
import gzip
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import pytest
from tests.gateway import Request
from tests.service import Service

ASSETS: Final = Path(__file__).parents[3] / "functions" / "console" / "assets"


def page(service: Service, **more: Any) -> Any:
    return service.invoke("console", Request(method="GET", resource="/console", **more).event())


def asset(service: Service, name: str, **more: Any) -> Any:
    request = Request(
        method="GET", resource="/console/assets/{asset}", path=f"/console/assets/{name}", **more
    )
    return service.invoke("console", request.event())


def test_the_page_needs_no_credential_and_is_asked_for_each_time(service: Service) -> None:
    answer = page(service)
    headers = answer["multiValueHeaders"]

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert answer["body"].startswith("<!doctype html>")
    assert headers["Content-Type"] == ["text/html; charset=utf-8"]
    assert headers["Cache-Control"] == ["no-cache"]
    assert headers["X-Content-Type-Options"] == ["nosniff"]
    assert headers["Referrer-Policy"] == ["no-referrer"]
    assert headers["Cross-Origin-Opener-Policy"] == ["same-origin"]


def test_browsers_run_nothing_but_the_page_s_own_scripts(service: Service) -> None:
    (policy,) = page(service)["multiValueHeaders"]["Content-Security-Policy"]
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))

    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "font-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "dompurify 'allow-duplicates'",
    }


def test_the_page_has_nothing_inline_and_names_files_that_are_served(service: Service) -> None:
    html = page(service)["body"]
    named = re.findall(r'(?:src|href)="(\./[^"]+)"', html)

    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", html) == []
    assert named
    for reference in named:
        # As a browser does, below any path.
        url = urljoin("https://host.test/any/v1/console", reference)
        assert url.startswith("https://host.test/any/v1/console/assets/")
        assert asset(service, url.rpartition("/")[2])["statusCode"] == 200


def test_every_file_is_text_that_never_changes(service: Service) -> None:
    names = sorted(path.name for path in ASSETS.iterdir() if path.suffix in (".js", ".css"))
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

    assert names
    for name in names:
        answer = asset(service, name)
        headers = answer["multiValueHeaders"]
        assert re.fullmatch(r"[\w.-]+-[\w-]{8}\.(js|css)", name)
        assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
        assert answer["body"] == (ASSETS / name).read_text("utf-8")
        assert headers["Content-Type"] == [kinds[Path(name).suffix]]
        assert headers["Cache-Control"] == ["public, max-age=31536000, immutable"]
        assert headers["X-Content-Type-Options"] == ["nosniff"]
        tag = headers["ETag"][0]
        assert asset(service, name, headers={"If-None-Match": tag})["statusCode"] == 304


def test_a_browser_gets_every_file_compressed(service: Service) -> None:
    gzipped = {"headers": {"Accept-Encoding": "gzip, deflate, br"}}
    for path in ASSETS.glob("*.*s"):
        answer = asset(service, path.name, **gzipped)
        headers = answer["multiValueHeaders"]
        assert (headers["Content-Encoding"], headers["Vary"]) == (["gzip"], ["Accept-Encoding"])
        known = {"headers": {"Accept-Encoding": "gzip", "If-None-Match": headers["ETag"][0]}}
        assert asset(service, path.name, **known)["statusCode"] == 304
        # Other bytes have another tag.
        assert headers["ETag"] != asset(service, path.name)["multiValueHeaders"]["ETag"]
        assert answer["isBase64Encoded"] is True
        assert gzip.decompress(base64.b64decode(answer["body"])) == path.read_bytes()
    document = page(service, **gzipped)
    assert gzip.decompress(base64.b64decode(document["body"])) == (ASSETS / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("encodings", "compressed"),
    [("br, GZIP;q=0.1", True), ("gzip;q=0", False), ("gzip; q=0.00, br", False), ("br", False)],
)
def test_a_client_says_whether_it_takes_gzip(service: Service, encodings: str, compressed: bool) -> None:
    answer = page(service, headers={"Accept-Encoding": encodings})

    assert ("Content-Encoding" in answer["multiValueHeaders"]) is compressed


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "app.py",
        "../app.py",
        "..%2fapp.py",
        "%2e%2e%2fapp.py",
        "..",
        ".",
        "/etc/passwd",
        "index-00000000.js",
        "index.html.gz",
    ],
)
def test_nothing_else_of_the_function_is_served(service: Service, name: str) -> None:
    answer = asset(service, name)

    assert answer["statusCode"] == 404
    assert "route_not_found" in answer["body"]


def test_a_query_is_refused_by_name(service: Service) -> None:
    answer = page(service, query={"key": "sk_1"})

    assert answer["statusCode"] == 400
    assert "key" in answer["body"]
