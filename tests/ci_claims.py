"""Claims as GitHub, GitLab and AWS write them.

Sources: GitHub Docs, "OpenID Connect reference"; GitLab Docs, "OpenID Connect (OIDC) Authentication Using ID Tokens";
IAM user guide, "Understanding token claims" of outbound identity federation.
"""

from collections.abc import Mapping
from typing import Any, Final

SHA: Final = "1f0c9a7b2d3e4f5061728394a5b6c7d8e9f00112"
GITHUB: Final[Mapping[str, Any]] = {
    "sub": "repo:acme@98765/slack-pack@123456:ref:refs/tags/v1.0.0",
    "repository": "acme/slack-pack",
    "repository_id": "123456",
    "repository_owner": "acme",
    "repository_owner_id": "98765",
    "repository_visibility": "private",
    "workflow": "Release",
    "workflow_ref": "acme/slack-pack/.github/workflows/release.yml@refs/tags/v1.0.0",
    "job_workflow_ref": "acme/slack-pack/.github/workflows/release.yml@refs/tags/v1.0.0",
    "event_name": "release",
    "ref": "refs/tags/v1.0.0",
    "ref_type": "tag",
    "ref_protected": "true",
    "sha": SHA,
    "run_id": "4711",
    "run_number": "12",
    "run_attempt": "1",
    "actor": "ada",
    "actor_id": "42",
    "runner_environment": "github-hosted",
}
GITLAB: Final[Mapping[str, Any]] = {
    "sub": "project_path:acme/packs/slack:ref_type:tag:ref:v1.0.0",
    "project_id": "20",
    "project_path": "acme/packs/slack",
    "namespace_id": "72",
    "namespace_path": "acme/packs",
    "user_login": "ada",
    "pipeline_id": "574",
    "pipeline_source": "push",
    "job_id": "302",
    "ref": "v1.0.0",
    "ref_type": "tag",
    "ref_path": "refs/tags/v1.0.0",
    "ref_protected": "true",
    "ci_config_ref_uri": "gitlab.example.com/acme/packs/slack//.gitlab-ci.yml@refs/tags/v1.0.0",
    "sha": SHA,
}
ROLE_ARN: Final = "arn:aws:iam::123456789012:role/publish"
AWS: Final[Mapping[str, Any]] = {
    "sub": ROLE_ARN,
    "https://sts.amazonaws.com/": {
        "aws_account": "123456789012",
        "source_region": "eu-central-1",
        "principal_id": ROLE_ARN,
        "request_tags": {"team": "somebody's own words"},
    },
}
