"""What the claims of a trusted publisher may be when it is added, by kind of issuer."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from packyard.tenants.publisher import AWS_ISSUER, ISSUER_URLS, IssuerKind
from packyard.text.suggestion import closest

MAX_CLAIMS: Final = 16
MAX_NAME: Final = 128
MAX_VALUE: Final = 512
MAX_ISSUER: Final = 512
_MAX_ENVIRONMENT: Final = 255

_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
# The names of GitHub's accounts and repositories are ASCII, and so are GitLab's paths.
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}/[A-Za-z0-9._-]{1,100}")
_PROJECT_PATH: Final = re.compile(r"[A-Za-z0-9._-]{1,255}(?:/[A-Za-z0-9._-]{1,255}){1,20}")
_WORKFLOWS: Final = ".github/workflows/"
_WORKFLOW: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9 ._-]{0,250}\.ya?ml")
_REF: Final = re.compile(r"refs/(?:heads|tags)/[^\s*:?\[\\^~]*\*?[^\s*:?\[\\^~]*")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ROLE_ARN: Final = re.compile(r"arn:aws(?:-[a-z]+)*:iam::([0-9]{12}):role/[A-Za-z0-9+=,.@_/-]{1,512}")
_CLAIM_NAME: Final = re.compile(r"[!-~]{1,128}")
# What is checked of every token, and says nothing of who has it.
_OF_EVERY_TOKEN: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})


class ClaimsInvalid(Exception):
    """The claims of a publisher are wrong.

    Args:
        faults: What is wrong, by the field that it is about.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("The claims are wrong.")
        self.faults = dict(faults)


class _Rule(NamedTuple):
    read: Callable[[Any], str]
    required: bool = False


def parse_claims(kind: IssuerKind, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the claims of a publisher as they are stored.

    Args:
        kind: Whose claims they are.
        given: What the client states.

    Raises:
        ClaimsInvalid: Something is wrong with them; by `claims` and `claims.NAME`.
    """
    if kind is IssuerKind.OTHER:
        return _any_claims(given)
    rules = _RULES[kind]
    faults: dict[str, str] = {}
    for name in list(given)[: MAX_CLAIMS + 1]:
        if name not in rules:
            faults[f"claims.{_shown(name)}"] = _unknown(name, kind)
    claims = {}
    for name, rule in rules.items():
        if name in given:
            try:
                claims[name] = rule.read(given[name])
            except ValueError as error:
                faults[f"claims.{name}"] = str(error)
        elif rule.required:
            faults[f"claims.{name}"] = "is required"
    if not faults:
        faults = _together(kind, claims)
    if faults:
        raise ClaimsInvalid(faults)
    return claims


def parse_issuer(kind: IssuerKind, url: str | None) -> str:
    """Return what `iss` must be.

    Args:
        kind: Whose tokens they are.
        url: The issuer's URL, as the client states it; None where the kind has an issuer for everybody.

    Raises:
        ValueError: The URL is not one of this kind. What may be reached is for the network guard to say.
    """
    if url is None:
        return ISSUER_URLS.get(kind, "")
    if (
        not 1 <= len(url) <= MAX_ISSUER
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or url.endswith("/")
    ):
        raise ValueError(
            f"must be the issuer exactly as it is in the claim iss: at most {MAX_ISSUER} visible ASCII characters, "
            "without a slash at its end"
        )
    if "?" in url or "#" in url:
        raise ValueError("must have neither a query nor a fragment (OpenID Connect Discovery, section 3)")
    if kind is IssuerKind.AWS and AWS_ISSUER.fullmatch(url) is None:
        raise ValueError(
            "must be the issuer of an AWS account, https://ID.tokens.sts.global.api.aws; "
            "aws iam get-outbound-web-identity-federation-info shows it"
        )
    if kind is IssuerKind.OTHER:
        _refuse_well_known(url)
    return url


def _refuse_well_known(url: str) -> None:
    """Refuse an issuer whose claims we know: exact claims alone would let in whoever gets a name next."""
    for kind, known in ISSUER_URLS.items():
        if url.lower() == known or url.lower().startswith(f"{known}/"):
            raise ValueError(f'is the issuer of {kind.value}: write "{kind.value}", whose ids are compared')
    if AWS_ISSUER.fullmatch(url.lower()):
        raise ValueError('is the issuer of an AWS account: write "aws", and the URL in issuer_url')


def _any_claims(given: Mapping[str, Any]) -> dict[str, str]:
    if not given:
        raise ClaimsInvalid(
            {"claims": "must state a claim that tells your CI from the issuer's others, such as sub"}
        )
    if len(given) > MAX_CLAIMS:
        raise ClaimsInvalid({"claims": f"has more than {MAX_CLAIMS} claims"})
    faults, claims = {}, {}
    for name, value in given.items():
        shown = f"claims.{_shown(name)}"
        if _CLAIM_NAME.fullmatch(name) is None:
            faults[shown] = f"must be the name of a claim: at most {MAX_NAME} visible ASCII characters"
        elif name in _OF_EVERY_TOKEN:
            faults[shown] = "is checked of every token; state what tells your CI from the issuer's others"
        elif (text := claim_text(value)) is None or not 1 <= len(text) <= MAX_VALUE:
            faults[shown] = f"must be a text of 1 to {MAX_VALUE} characters, a whole number, or true or false"
        else:
            claims[name] = text
    if faults:
        raise ClaimsInvalid(faults)
    return claims


def claim_text(value: Any) -> str | None:
    """Return a claim as text, as it is compared; None for lists, objects, fractions and null.

    Issuers write ids as numbers or as texts, and GitLab writes booleans as texts.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return value
        case _:
            return None


def _id(value: Any) -> str:
    text = claim_text(value)
    if isinstance(value, bool) or text is None or _ID.fullmatch(text) is None:
        raise ValueError("must be the id, a whole number of at most 20 digits, such as 123456")
    return text


def _text(pattern: re.Pattern[str], advice: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > MAX_VALUE or pattern.fullmatch(value) is None:
            raise ValueError(f"must be {advice}")
        return value

    return read


def _workflow(value: Any) -> str:
    name = value.removeprefix(_WORKFLOWS) if isinstance(value, str) else ""
    if _WORKFLOW.fullmatch(name) is None:
        raise ValueError(
            "must be the name of the workflow's file in .github/workflows, with its ending, such as release.yml"
        )
    return name


def _environment(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_ENVIRONMENT or not value.isprintable():
        raise ValueError("must be the name of an environment, 1 to 255 printable characters")
    return value


def _ref(value: Any) -> str:
    # GitLab's claim `ref` is the same for a branch and a tag of one name, and so the prefix is needed.
    if not isinstance(value, str) or len(value) > MAX_VALUE or _REF.fullmatch(value) is None:
        advice = f", such as refs/heads/{value[:64]}" if isinstance(value, str) and value.isalnum() else ""
        raise ValueError(
            f"must begin with refs/heads/ or refs/tags/{advice}; one * stands for any characters, as in refs/tags/v*"
        )
    return value


def _protected(value: Any) -> str:
    if claim_text(value) != "true":
        raise ValueError("must be true; leave it out if refs that are not protected may publish too")
    return "true"


_RULES: Final[Mapping[IssuerKind, Mapping[str, _Rule]]] = MappingProxyType(
    {
        IssuerKind.GITHUB: {
            "repository": _Rule(_text(_REPOSITORY, "OWNER/REPOSITORY, such as acme/slack-pack")),
            "repository_id": _Rule(_id),
            "repository_owner_id": _Rule(_id),
            "workflow": _Rule(_workflow, required=True),
            "environment": _Rule(_environment),
            "ref": _Rule(_ref),
            "ref_protected": _Rule(_protected),
        },
        IssuerKind.GITLAB: {
            "project_path": _Rule(_text(_PROJECT_PATH, "the project's full path, such as acme/packs/slack")),
            "project_id": _Rule(_id),
            "namespace_id": _Rule(_id),
            "environment": _Rule(_environment),
            "ref": _Rule(_ref),
            "ref_protected": _Rule(_protected),
        },
        IssuerKind.AWS: {
            "account": _Rule(_text(_ACCOUNT, "the account's 12 digits, as text"), required=True),
            "role_arn": _Rule(
                _text(_ROLE_ARN, "the ARN of a role, such as arn:aws:iam::123456789012:role/publish"),
                required=True,
            ),
        },
    }
)
CLAIM_NAMES: Final[Mapping[IssuerKind, tuple[str, ...]]] = MappingProxyType(
    {kind: tuple(rules) for kind, rules in _RULES.items()}
)


def _together(kind: IssuerKind, claims: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with claims that are each well-formed."""
    if kind is IssuerKind.GITHUB and not {"repository", "repository_id"} & claims.keys():
        return {
            "claims": "must state repository_id, or repository (OWNER/NAME), whose ids the first token pins"
        }
    if kind is IssuerKind.GITLAB and not {"project_path", "project_id"} & claims.keys():
        return {"claims": "must state project_id, or project_path, whose ids the first token pins"}
    role = _ROLE_ARN.fullmatch(claims.get("role_arn", ""))
    if role is not None and role[1] != claims["account"]:
        return {"claims.role_arn": f"is a role of the account {role[1]}, and account is another"}
    return {}


def _unknown(name: str, kind: IssuerKind) -> str:
    names = CLAIM_NAMES[kind]
    near = closest(name[:MAX_NAME], names)
    return f"is not a claim of {kind.value}{f'; write {near}' if near else ''}: {', '.join(names)}"


def _shown(name: str) -> str:
    """Return a client's own name as a field is named: short, and on one line."""
    return "".join(character if "!" <= character <= "~" else "?" for character in name[:64]) or "?"
