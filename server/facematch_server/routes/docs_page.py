"""The API description as one page of plain HTML: no scripts, no files from other servers.

The usual pages (Swagger UI, Redoc) load from a CDN and stay blank in a closed network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;font-size:1.1rem}code,pre{font-family:ui-monospace,monospace;font-size:.875rem}
pre{overflow-x:auto;padding:.75rem;border:1px solid #8884;border-radius:.4rem}
.verb{display:inline-block;min-width:3.2rem;font-weight:700}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #8884}
summary{cursor:pointer;padding:.2rem 0}
"""


def render(schema: Mapping[str, Any]) -> str:
    """The page of an OpenAPI schema of `FastAPI.openapi`."""
    title = f"{schema['info']['title']} {schema['info']['version']}"
    body = "".join(_operations(schema))
    intro = escape(schema["info"].get("summary", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{escape(title)}</h1>'
        f'<p>{intro} Machine-readable: <a href="openapi.json">openapi.json</a>.</p>{body}</html>'
    )


def _operations(schema: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            lock = " · HTTP Basic" if operation.get("security") else ""
            yield f'<h2><span class="verb">{method.upper()}</span> <code>{escape(path)}</code></h2>'
            summary, text = (escape(operation.get(part, "")) for part in ("summary", "description"))
            yield f"<p><b>{summary}</b>{lock}. {text}</p>"
            yield from _parameters(operation.get("parameters", []))
            yield from _body(operation.get("requestBody"), schema)
            yield from _responses(operation["responses"], schema)


def _parameters(parameters: list[dict[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield "<table><tr><th>Query</th><th>Values</th><th>Meaning</th></tr>"
    for parameter in parameters:
        shape = parameter["schema"]
        values = ", ".join(f"<code>{escape(str(value))}</code>" for value in shape.get("enum", ())) or shape["type"]
        needed = "" if parameter.get("required") else " (optional)"
        meaning = escape(parameter.get("description", ""))
        yield f"<tr><td><code>{escape(parameter['name'])}</code>{needed}</td><td>{values}</td><td>{meaning}</td></tr>"
    yield "</table>"


def _body(body: dict[str, Any] | None, schema: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in (body or {}).get("content", {}).items():
        yield f"<details><summary>Body as <code>{escape(media_type)}</code></summary>"
        yield _pre(content.get("example", _resolved(content["schema"], schema))) + "</details>"


def _responses(responses: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        yield f"<details><summary><code>{status}</code> {escape(response['description'])}</summary>"
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
    return f"<pre>{escape(json.dumps(content, indent=2, ensure_ascii=False))}</pre>"
