"""The API description as one page: readable without scripts, with a form for each operation, and no other servers.

The usual pages (Swagger UI, Redoc) load from a CDN and stay blank in a closed network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

# Bodies that the forms can send: photos as files, or the same photos as base64 in JSON.
_SENDABLE: Final = {"multipart/form-data": "file", "application/json": "base64"}

_CREDENTIALS: Final = """<fieldset class="credentials" hidden><legend>Your key, for the forms below</legend>
<label>api_key <input id="key" autocomplete="off" spellcheck="false"></label>
<label>api_secret <input id="secret" type="password" autocomplete="off"></label>
<p>They stay in this page, and go nowhere but to this service.</p></fieldset>"""


def render(schema: Mapping[str, Any]) -> str:
    """The page of an OpenAPI schema of `FastAPI.openapi`."""
    title = f"{schema['info']['title']} {schema['info']['version']}"
    body = "".join(_operations(schema))
    intro = _text(schema["info"].get("summary", ""))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="docs/docs.css"><script src="docs/docs.js" defer></script></head>'
        f"<body><main><h1>{escape(title)}</h1>"
        f'<p>{intro} Machine-readable: <a href="openapi.json">openapi.json</a>.</p>'
        f"{_CREDENTIALS}{body}</main></body></html>"
    )


def _text(text: str) -> str:
    """Text of the description as HTML: `code` in backticks, nothing else."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text))


def _operations(schema: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            lock = " · HTTP Basic" if operation.get("security") else ""
            yield f'<section><h2><span class="verb">{method.upper()}</span> <code>{escape(path)}</code></h2>'
            summary, text = (_text(operation.get(part, "")) for part in ("summary", "description"))
            yield f"<p><b>{summary}</b>{lock}. {text}</p>"
            yield from _parameters(operation.get("parameters", []))
            yield from _form(path, method, operation)
            yield from _body(operation.get("requestBody"), schema)
            yield from _responses(operation["responses"], schema)
            yield "</section>"


def _parameters(parameters: list[dict[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield "<table><tr><th>Query</th><th>Values</th><th>Meaning</th></tr>"
    for parameter in parameters:
        shape = parameter["schema"]
        values = ", ".join(f"<code>{escape(str(value))}</code>" for value in shape.get("enum", ())) or shape["type"]
        needed = "" if parameter.get("required") else " (optional)"
        meaning = _text(parameter.get("description", ""))
        yield f"<tr><td><code>{escape(parameter['name'])}</code>{needed}</td><td>{values}</td><td>{meaning}</td></tr>"
    yield "</table>"


def _form(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """The form that sends the operation; `docs.js` shows it, because it does nothing without."""
    key = " data-key" if operation.get("security") else ""
    yield f'<details class="try" hidden><summary>Try it</summary><form data-method="{method.upper()}"'
    yield f' data-path="{escape(path)}"{key}>'
    for parameter in operation.get("parameters", []):
        yield _field(parameter)
    content = [media for media in operation.get("requestBody", {}).get("content", {}) if media in _SENDABLE]
    if content:
        choices = "".join(f'<option value="{_SENDABLE[media]}">{media}</option>' for media in content)
        yield f'<label>Body <select name="body">{choices}</select></label>'
        for name in ("img1", "img2"):
            yield f'<label>{name} <input type="file" name="{name}" data-photo accept="image/*" required></label>'
    yield "<button>Send</button></form><output hidden></output></details>"


def _field(parameter: Mapping[str, Any]) -> str:
    name, shape = escape(parameter["name"]), parameter["schema"]
    if values := shape.get("enum"):
        options = "".join(f"<option>{escape(str(value))}</option>" for value in values)
        return f'<label>{name} <select name="{name}" data-query>{options}</select></label>'
    example = escape(str(shape.get("example", "")))
    needed = " required" if parameter.get("required") else ""
    return f'<label>{name} <input name="{name}" data-query placeholder="{example}"{needed}></label>'


def _body(body: dict[str, Any] | None, schema: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in (body or {}).get("content", {}).items():
        yield f"<details><summary>Body as <code>{escape(media_type)}</code></summary>"
        yield _pre(content.get("example", _resolved(content["schema"], schema))) + "</details>"


def _responses(responses: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        yield f"<details><summary><code>{status}</code> {_text(response['description'])}</summary>"
        for content in response.get("content", {}).values():
            examples = content.get("examples")
            for example in examples.values() if examples else ():
                yield _pre(example["value"])
            if not examples:
                yield _pre(_resolved(content.get("schema", {}), schema))
        yield "</details>"


def _resolved(part: Any, schema: Mapping[str, Any]) -> Any:
    """`part` with every reference to the schema's components replaced by the component (none is recursive)."""
    if isinstance(part, list):
        return [_resolved(item, schema) for item in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" in part:
        return _resolved(schema["components"]["schemas"][part["$ref"].rpartition("/")[2]], schema)
    return {name: _resolved(value, schema) for name, value in part.items()}


def _pre(content: Any) -> str:
    # Descriptions inside a schema: here the backticks would only be signs.
    return f'<pre tabindex="0">{escape(json.dumps(content, indent=2, ensure_ascii=False)).replace("`", "")}</pre>'
