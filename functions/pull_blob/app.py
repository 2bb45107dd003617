"""GET and HEAD /v2/{owner}/{pack}/blobs/{digest}: a layer or a config of an image that the role pins.

The way to it; the config of a skill artifact itself.
"""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import serve
from packyard.http.distribution import (
    blob_response,
    digest_in_path,
    make_door,
    not_pinned,
    puller,
    unknown,
)

app = make_door()


@app.route("/<owner>/<pack>/blobs/<reference>", method=["GET", "HEAD"])
def pull_blob(owner: str, pack: str, reference: str) -> Response[str]:
    """Answer 307 with a URL that needs no credential, or 404."""
    services = bootstrap.services()
    image = services.role_pins.find(**puller(app.current_event)._asdict(), owner=owner, name=pack)
    if image is None:
        return not_pinned()
    digest = digest_in_path(reference)
    blob = None
    if digest is not None:
        url = services.served_images.blob_url(image, digest)
        blob = url or services.served_artifacts.blob(image, digest)
    if digest is None or blob is None:
        return unknown("BLOB_UNKNOWN", "The image that the role pins of this pack has no such blob.")
    return blob_response(blob, digest)


bootstrap.prepare(lambda services: (services.role_pins, services.served_images, services.served_artifacts))
lambda_handler = serve(app, bootstrap.invocation_begins)
