"""The token that a CI system gives to its job, where this is one: OpenID Connect, without a stored secret.

    PACKYARD_ID_TOKEN                 any CI that writes a token into a variable, as GitLab's id_tokens does
    ACTIONS_ID_TOKEN_REQUEST_URL      GitHub Actions, Forgejo and Gitea: the runner is asked for one
    CODEBUILD_BUILD_ID                AWS CodeBuild: the program `aws` asks STS for one (GetWebIdentityToken)

On other machines of AWS nobody can tell a CI from a person's machine, so there the variable has to be set.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from packyard_cli.failure import Exit, Failure

if TYPE_CHECKING:
    from packyard_cli.service import Transport

VARIABLE: Final = "PACKYARD_ID_TOKEN"
_REQUEST_URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
_REQUEST_TOKEN: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - a variable's name
_MAX_ANSWER: Final = 64 << 10
_AWS_SECONDS: Final = 60
_OK: Final = 200

# Runs a program and returns its exit code, what it printed, and what it complained about.
Run = Callable[[Sequence[str]], tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class CiToken:
    """A token, and where it came from.

    Attributes:
        text: The token.
        source: For people: "GitHub Actions".
        again: Whether another token can be asked for.
    """

    text: str
    source: str
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CiTokens:
    """Finds the token of a job.

    Attributes:
        environment: The environment's variables.
        transport: Makes what sends requests.
        run: Runs the program `aws`.
    """

    environment: Mapping[str, str]
    transport: "Callable[[], Transport]"
    run: Run

    def find(self, audience: str) -> CiToken | None:
        """Return a token for an audience; None where no CI system gives one.

        Raises:
            Failure: A CI system should give one, and does not.
        """
        given = self.environment.get(VARIABLE, "").strip()
        if given:
            return CiToken(given, VARIABLE, again=False)
        if self.environment.get(_REQUEST_URL) and self.environment.get(_REQUEST_TOKEN):
            return CiToken(self._of_github(audience), "GitHub Actions", again=True)
        if self.environment.get("CODEBUILD_BUILD_ID"):
            return CiToken(self._of_aws(audience), "AWS CodeBuild", again=True)
        return None

    def tried(self, audience: str) -> list[str]:
        """Return, for people, where a token was looked for in vain, and what would help there."""
        lines = [f"{VARIABLE} is not set"]
        if self.environment.get("GITLAB_CI"):
            lines[0] += f'; in .gitlab-ci.yml, give the job id_tokens: {{{VARIABLE}: {{aud: "{audience}"}}}}'
        actions = f"{_REQUEST_URL} is not set"
        if self.environment.get("GITHUB_ACTIONS"):
            actions += "; give the job the permission id-token: write (pull requests of forks do not get it)"
        return [*lines, actions, "this is no build of AWS CodeBuild"]

    def _of_github(self, audience: str) -> str:
        url = self.environment[_REQUEST_URL]
        if not url.startswith("https://"):
            raise Failure(
                Exit.NOT_SIGNED_IN, f"{_REQUEST_URL} is no https address, so no token was asked for."
            )
        headers = {
            "Authorization": f"bearer {self.environment[_REQUEST_TOKEN]}",
            "Accept": "application/json",
        }
        joint = "&" if "?" in url else "?"
        received = self.transport().send(
            "GET", f"{url}{joint}audience={quote(audience, safe='')}", headers=headers
        )
        content = received.read(_MAX_ANSWER)
        try:
            value = json.loads(content)["value"] if received.status == _OK else None
        except (ValueError, KeyError, TypeError):
            value = None
        if not isinstance(value, str):
            raise Failure(
                Exit.NOT_SIGNED_IN,
                f"GitHub Actions gave no token for this job: it answered {received.status}.",
                "Repeat the job; if it happens again, look at GitHub's status page.",
            )
        return value

    def _of_aws(self, audience: str) -> str:
        command = [
            "aws",
            "sts",
            "get-web-identity-token",
            "--audience",
            audience,
            "--signing-algorithm",
            "ES384",
        ]
        status, printed, complaint = self.run([*command, "--query", "WebIdentityToken", "--output", "text"])
        if status:
            last = complaint.strip().rpartition("\n")[2][:300]
            raise Failure(
                Exit.NOT_SIGNED_IN,
                f"AWS CodeBuild gave no token: aws sts get-web-identity-token ended with {status}. {last}",
                "The build's role needs sts:GetWebIdentityToken, the account outbound identity federation "
                "(aws iam enable-outbound-web-identity-federation), and the image a version of aws that knows it.",
            )
        return printed.strip()


def run_aws(command: Sequence[str]) -> tuple[int, str, str]:
    """Run a program, and return its exit code, what it printed, and what it complained about."""
    program = shutil.which(command[0])
    if program is None:
        return 127, "", f"There is no program {command[0]} here."
    try:
        ran = subprocess.run(  # noqa: S603 - the program of AWS, without a shell
            [program, *command[1:]], capture_output=True, text=True, timeout=_AWS_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 124, "", f"It did not run to its end: {type(error).__name__}."
    return ran.returncode, ran.stdout, ran.stderr
