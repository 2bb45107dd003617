"""The document as a page: plain HTML and one style sheet inside it, no script, nothing loaded from anywhere."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

_STYLE: Final = Path(__file__).with_name("page.css")
_CODE: Final = re.compile(r"`([^`]+)`")
_METHODS: Final = ("get", "post", "put", "patch", "delete")

Document = Mapping[str, Any]


def render(document: Document) -> str:
    """Return the page of a document that `api.document` has built."""
    info = document["info"]
    sections = [
        f'<section aria-labelledby="{_anchor(tag)}"><h2 id="{_anchor(tag)}">{escape(tag)}</h2>'
        + "".join(_operation(method, path, operation) for method, path, operation in operations)
        + "</section>"
        for tag, operations in _by_tag(document)
    ]
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    refusals = _refusals(document["components"]["responses"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>\n{_STYLE.read_text()}</style></head>\n<body>"
        '<a class="skip" href="#main">Skip to the operations</a><div class="frame">\n'
        f'<nav aria-label="Operations">{_navigation(document)}</nav>\n<main id="main">'
        f"<h1>{escape(info['title'])} API</h1>{_prose(info['description'])}"
        f'<p class="note">Version {escape(info["version"])}. The same for programs: '
        '<a href="openapi.json">openapi.json</a>.</p>\n'
        + "\n".join(sections)
        + f'\n<section aria-labelledby="errors"><h2 id="errors">Errors</h2>{refusals}</section>'
        f'\n<section aria-labelledby="objects"><h2 id="objects">Objects</h2>{schemas}</section>'
        "</main></div></body></html>\n"
    )


def _by_tag(document: Document) -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    for tag in document["tags"]:
        name = tag["name"]
        yield (
            name,
            [
                (method, path, item[method])
                for path, item in document["paths"].items()
                for method in _METHODS
                if name in item.get(method, {}).get("tags", ())
            ],
        )


def _navigation(document: Document) -> str:
    parts = []
    for tag, operations in _by_tag(document):
        links = "".join(
            f'<li><a href="#{operation["operationId"]}">{escape(operation["summary"])}</a></li>'
            for _, _, operation in operations
        )
        parts.append(f"<h2>{escape(tag)}</h2><ul>{links}</ul>")
    rest = '<li><a href="#errors">Errors</a></li><li><a href="#objects">Objects</a></li>'
    return "".join(parts) + f"<h2>What they have in common</h2><ul>{rest}</ul>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    anchor = operation["operationId"]
    scope = operation.get("x-scope")
    return (
        f'<article aria-labelledby="{anchor}"><h3 id="{anchor}">{escape(operation["summary"])}</h3>'
        f'<p class="route"><span class="method {method}">{method}</span>{escape(path)}</p>'
        + _prose(operation.get("description", ""))
        + (f'<p class="note">Needs the scope <code>{escape(scope)}</code>.</p>' if scope else "")
        + _parameters(operation.get("parameters", ()))
        + _body(operation.get("requestBody"))
        + "<h4>Answers</h4>"
        + "".join(
            _shared(status, response["$ref"]) if "$ref" in response else _response(status, response)
            for status, response in operation["responses"].items()
        )
        + "</article>\n"
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        f'<tr><th scope="row"><code>{escape(parameter["name"])}</code></th>'
        f"<td>{parameter['in']}</td><td>{_type(parameter['schema'])}</td>"
        f"<td>{_inline(parameter['description'])}</td></tr>"
        for parameter in parameters
    ]
    return f"<h4>Parameters</h4><table><tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _body(body: Mapping[str, Any] | None) -> str:
    if body is None:
        return ""
    return f"<h4>Body{'' if body['required'] else ', optional'}</h4>{_content(body['content'])}"


def _response(status: str, response: Mapping[str, Any]) -> str:
    summary, _, rest = response["description"].partition("\n\n")
    headers = [
        f"<code>{escape(name)}</code>: {_inline(header['description'])}"
        for name, header in response["headers"].items()
    ]
    return (
        f"<details><summary><b>{status}</b> {_inline(summary)}</summary>"
        f"{_prose(rest)}{_content(response.get('content', {}))}"
        f'<p class="note">{" · ".join(headers)}</p></details>'
    )


def _shared(status: str, reference: str) -> str:
    """Return an answer that is the same wherever it is given, as a link to where it is described."""
    name = reference.rpartition("/")[2]
    return f'<p class="shared"><b>{status}</b> <a href="#answer-{name}">{name}</a></p>'


def _refusals(responses: Mapping[str, Any]) -> str:
    return "".join(
        f'<h3 id="answer-{name}">{name}</h3>{_prose(response["description"])}{_content(response["content"])}\n'
        for name, response in responses.items()
    )


def _content(content: Mapping[str, Any]) -> str:
    parts = []
    for media_type, media in content.items():
        schema = media.get("schema", {})
        shape = f" · {_type(schema)}" if schema else ""
        parts.append(f'<p class="note"><code>{escape(media_type)}</code>{shape}</p>')
        examples = [media["example"]] if "example" in media else []
        examples += [example["value"] for example in media.get("examples", {}).values()]
        parts += [f"<pre>{escape(_json(example))}</pre>" for example in examples]
    return "".join(parts)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        f'<tr><th scope="row"><code>{escape(field)}</code></th><td>{_type(described)}</td>'
        f"<td>{'' if field in required else 'optional'}</td>"
        f"<td>{_inline(described.get('description', ''))}</td></tr>"
        for field, described in schema.get("properties", {}).items()
    ]
    shape = f"<table><tbody>{''.join(rows)}</tbody></table>" if rows else f"<p>{_type(schema)}</p>"
    return f'<h3 id="schema-{name}">{name}</h3>{_prose(schema.get("description", ""))}{shape}\n'


def _type(schema: Mapping[str, Any]) -> str:
    """Return what a schema says in a few words, with a link where it refers to another."""
    for part in [schema, *schema.get("allOf", ())]:
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            return f'<a href="#schema-{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", schema.get("contentMediaType", "anything"))
    words = [kind if isinstance(kind, str) else " or ".join(kind), schema.get("format", "")]
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    pattern = f" <code>{escape(schema['pattern'])}</code>" if "pattern" in schema else ""
    return escape(", ".join([" ".join(word for word in words if word), *bounds])) + pattern


_BOUNDS: Final = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "maxItems": "at most",
    "default": "default",
}


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(text: str) -> str:
    return text.lower().replace(" ", "-")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
