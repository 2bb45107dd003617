"""The wire, against real servers on this machine."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from packyard_cli.failure import Exit, Failure
from packyard_cli.form import FormBody
from packyard_cli.wire import Unreached, Wire


class _Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._answer({"path": self.path, "headers": dict(self.headers), "size": len(self.rfile.read(length))})

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
            self.close_connection = True
            return
        self._answer({"path": self.path, "headers": dict(self.headers)})

    def do_CONNECT(self) -> None:
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def _serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return Wire({})


def _get(wire: Wire, url: str) -> Any:
    return json.loads(wire.send("GET", url, headers={}).read(1 << 20))


def test_a_form_is_sent_with_its_length_and_can_be_sent_again(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 700_000)
    counted: list[int] = []
    with _serving() as port, (tmp_path / "file").open("rb") as file:
        form = FormBody([("key", "a"), ("delete", 'b"\r\n')], ("file", file), on_bytes=counted.append)
        headers = {"Content-Type": form.content_type, "Content-Length": str(len(form))}
        answers = [
            json.loads(
                wire.send("POST", f"http://127.0.0.1:{port}/", headers=headers, body=form.open()).read(
                    1 << 20
                )
            )
            for _ in range(2)
        ]

    assert [answer["size"] for answer in answers] == [len(form)] * 2
    assert "Transfer-Encoding" not in answers[0]["headers"]
    assert sum(counted) == 2 * len(form)


def test_an_answer_that_is_cut_off_is_no_answer(wire: Wire) -> None:
    with _serving() as port, pytest.raises(Unreached, match="cut off"):
        wire.send("GET", f"http://127.0.0.1:{port}/cut", headers={}).read(1 << 20)


def test_an_answer_over_its_bound_is_refused(wire: Wire) -> None:
    with _serving() as port, pytest.raises(Failure, match="larger than anything"):
        wire.send("GET", f"http://127.0.0.1:{port}/", headers={}).read(10)


def test_a_port_where_nobody_listens_is_one_sentence(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unreached, match=rf"^127\.0\.0\.1:{port} takes no connection\.$") as refused:
        wire.send("GET", f"http://127.0.0.1:{port}/", headers={})

    assert refused.value.exit_code is Exit.UNAVAILABLE


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    wire: Wire, tmp_path: Path, variable: str
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))

    with _serving(context) as port:
        url = f"https://localhost:{port}/v1"
        with pytest.raises(
            Unreached, match=f"certificate of localhost:{port} is not trusted here"
        ) as refused:
            _get(wire, url)
        answer = _get(Wire({variable: str(bundle)}), url)

    assert "SSL_CERT_FILE" in refused.value.advice
    assert answer["path"] == "/v1"


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(Failure, match="SSL_CERT_FILE names") as refused:
        Wire({"SSL_CERT_FILE": str(tmp_path / "ca.pem")}).send("GET", "https://localhost:1/", headers={})

    assert refused.value.exit_code is Exit.USAGE


def test_a_proxy_is_used_with_its_login_and_passed_by_where_it_says_so(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _serving() as proxy, _serving() as service:
        monkeypatch.setenv("http_proxy", f"http://me:pa%20ss@127.0.0.1:{proxy}")
        through = _get(wire, "http://packyard.test/v1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        direct = _get(wire, f"http://127.0.0.1:{service}/v1")

    login = base64.b64encode(b"me:pa ss").decode()
    assert through["path"] == "http://packyard.test/v1"
    assert through["headers"]["proxy-authorization"] == f"Basic {login}"
    assert direct["path"] == "/v1"


def test_a_proxy_that_refuses_is_named(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving() as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy}")
        with pytest.raises(Unreached, match=r"The proxy on the way to packyard\.test refused"):
            wire.send("GET", "https://packyard.test/v1", headers={})


def test_a_proxy_of_another_kind_is_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")

    with pytest.raises(Failure, match="of a kind that is not supported"):
        wire.send("GET", "https://packyard.test/v1", headers={})


@pytest.mark.parametrize("proxy", ["http://", "http://[::1", "http://user:secret@proxy.example:port"])
def test_a_proxy_s_address_that_is_none_is_refused_and_not_repeated(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)

    with pytest.raises(Failure, match="The address of the proxy is not one") as refused:
        wire.send("GET", "https://packyard.test/v1", headers={})

    assert refused.value.exit_code is Exit.USAGE
    assert "secret" not in "".join(refused.value.lines())
