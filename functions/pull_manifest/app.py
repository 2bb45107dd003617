"""GET and HEAD /v2/{owner}/{pack}/manifests/{digest}: a manifest or an index of an image that the role pins."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import serve
from packyard.http.distribution import (
    digest_in_path,
    document_response,
    make_door,
    not_pinned,
    puller,
    unknown,
)

app = make_door()


@app.route("/<owner>/<pack>/manifests/<reference>", method=["GET", "HEAD"])
def pull_manifest(owner: str, pack: str, reference: str) -> Response[str]:
    """Answer 200 with the document, or 404."""
    services = bootstrap.services()
    image = services.role_pins.find(**puller(app.current_event)._asdict(), owner=owner, name=pack)
    if image is None:
        return not_pinned()
    digest = digest_in_path(reference)
    document = None if digest is None else services.served_images.document(image, digest)
    if document is None:
        return unknown(
            "MANIFEST_UNKNOWN",
            f"The role pins {image.digest} of this pack. Only that image can be pulled, by its digest.",
        )
    return document_response(document)


bootstrap.prepare(lambda services: (services.role_pins, services.served_images))
lambda_handler = serve(app, bootstrap.invocation_begins)
