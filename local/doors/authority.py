"""A local authority, and the https host that only its certificate and our proxy know.

Claude Code fetches archives over https only, and from no loopback address. So it is given a proxy, which is the made-up
host for it and passes what it asks for on to the local stack, and the authority in `NODE_EXTRA_CA_CERTS`.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.proxy import PassOn, Received, Sent, proxied

# Reserved for examples (RFC 2606), so no name server answers for it.
MADE_UP: Final = "packs.packyard.example"
# Of a deployment on AWS. The emulator's is another.
_STAGE: Final = "/v1/"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureHost:
    """An https host that is the local stack.

    Attributes:
        url: The base URL of the API there.
        environment: With which a client on Node.js reaches and trusts it, and reaches nothing else.
    """

    url: str
    environment: dict[str, str]


@contextmanager
def secure_host(folder: Path, *, api_url: str) -> Iterator[SecureHost]:
    """Run the host while the block lasts.

    Args:
        folder: An empty folder for its certificates.
        api_url: The stack's API, on 127.0.0.1.
    """
    authority, context = _certificates(folder)
    parts, url = urlsplit(api_url), f"https://{MADE_UP}"
    plain, below = f"{parts.scheme}://{parts.netloc}", f"{parts.path}/"

    def middle(request: Sent, pass_on: PassOn) -> Received:
        path = request.path
        if path.startswith(_STAGE):
            path = below + path.removeprefix(_STAGE)
        else:
            # The staging bucket's: its signature covers the host.
            request.headers.replace_header("Host", parts.netloc)
        # As API Gateway does for the functions behind it.
        del request.headers["X-Forwarded-Proto"]
        request.headers["X-Forwarded-Proto"] = "https"
        received = pass_on(replace(request, path=path))
        # The stack knows its staging bucket by its plain address, to which no client goes from https.
        location = received.headers.get("Location", "")
        if location.startswith(plain):
            received.headers.replace_header("Location", location.replace(plain, url, 1))
        return received

    with proxied(int(parts.netloc.rpartition(":")[2]), middle, tls=context) as proxy:
        yield SecureHost(
            url=f"{url}{_STAGE.rstrip('/')}",
            environment={"HTTPS_PROXY": proxy, "NO_PROXY": "", "NODE_EXTRA_CA_CERTS": str(authority)},
        )


def _certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Write an authority's certificate and the host's; return the first and the context of the second."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("An authority for one test")
    authority = (
        _builder(issuer, issuer, root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root, hashes.SHA256())
    )
    host = (
        _builder(_name(MADE_UP), issuer, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(MADE_UP)]), critical=False)
        .sign(root, hashes.SHA256())
    )
    trusted, chain = folder / "authority.pem", folder / "host.pem"
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + host.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return trusted, context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
