"""GET and HEAD /v2/{owner}/{pack}/manifests/{reference}: a document of an image that the role pins.

By its digest; or, by a tag, the manifest of the image's skill artifact.
"""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.doors.skill_artifact import NoArtifact, tag_of
from packyard.http.app import serve
from packyard.http.distribution import (
    digest_in_path,
    document_response,
    make_door,
    not_pinned,
    puller,
    tag_in_path,
    unknown_manifest,
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
    artifacts = services.served_artifacts
    try:
        document = (
            artifacts.tagged(image, tag_in_path(reference))
            if digest is None
            else services.served_images.document(image, digest) or artifacts.manifest(image, digest)
        )
    except NoArtifact as none:
        return unknown_manifest(image.digest, skill=f"It cannot be pulled as an Agent Skill: {none}.")
    if document is None:
        return unknown_manifest(
            image.digest, skill=f"As an Agent Skill its tag is {tag_of(image.reference.tag)}."
        )
    return document_response(document)


bootstrap.prepare(lambda services: (services.role_pins, services.served_images, services.served_artifacts))
lambda_handler = serve(app, bootstrap.invocation_begins)
