"""The OpenAPI description of the contract's endpoint, whose handler reads the request itself."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from facematch_local.codes import ErrorCode, WarningCode
from facematch_server.wire.reply import WARNINGS_HEADER

_CROP: Final = "/9j/4AAQSkZJRgABAQAAAQABAAD…"
_STRING: Final[dict[str, Any]] = {"type": "string"}

_DATA_EXAMPLE: Final = {
    "matching": "87.42",
    "face1": _CROP,
    "face2": _CROP,
    "face1_score": "0.999796",
    "face2_score": "0.998214",
    "invalidCode": "0",
    "invalidMessage": WarningCode.SUCCESSFUL.message,
    "match": "1",
}

_DATA: Final[dict[str, Any]] = {
    "type": "object",
    "required": list(_DATA_EXAMPLE),
    "properties": {
        "matching": {**_STRING, "pattern": r"^\d{1,3}\.\d{1,2}$", "description": "similarity in percent"},
        "face1": {**_STRING, "description": "face of image 1, JPEG in base64; empty without a face"},
        "face2": {**_STRING, "description": "face of image 2, likewise"},
        "face1_score": {**_STRING, "pattern": r"^([01]\.\d{1,6})?$", "description": "confidence of the detector"},
        "face2_score": {**_STRING, "pattern": r"^([01]\.\d{1,6})?$", "description": "likewise"},
        "invalidCode": {
            "description": "lowest warning, 0 without one; a number in the `observed` wire profile",
            "oneOf": [{**_STRING, "pattern": r"^\d{1,2}$"}, {"type": "integer", "minimum": 0, "maximum": 12}],
        },
        "invalidMessage": {**_STRING, "enum": [code.message for code in WarningCode]},
        "match": {**_STRING, "enum": ["1", "0", "-1"], "description": "above 75, 65 to 75, below 65"},
    },
    "additionalProperties": False,
}

_REPLY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["data", "errorCode", "errorMessage"],
    "properties": {
        "data": {"anyOf": [_DATA, {"type": "null"}]},
        "errorCode": {**_STRING, "enum": [str(int(code)) for code in ErrorCode]},
        "errorMessage": {**_STRING, "enum": [code.message for code in ErrorCode]},
    },
    "additionalProperties": False,
}

_FAILURE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["data", "errorCode", "errorMessage"],
    "properties": {"data": {"type": "null"}, "errorCode": _STRING, "errorMessage": _STRING},
    "additionalProperties": False,
}


def _error_example(code: str, message: str) -> dict[str, Any]:
    return {"value": {"data": None, "errorCode": code, "errorMessage": message}}


def _failure(description: str, code: str, message: str) -> dict[str, Any]:
    examples = {code: _error_example(code, message)}
    return {"description": description, "content": {"application/json": {"schema": _FAILURE, "examples": examples}}}


FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    408: _failure("The body did not arrive in time", "408", "The request body did not arrive in time"),
    429: _failure("The key exceeds its rate limit; `Retry-After` says when to continue", "4", "Out of requests"),
    503: _failure("Overloaded; `Retry-After` says when to try again", "503", "The service is busy, try again later"),
}

REPLIES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Every documented outcome, errors included: read errorCode",
        "headers": {
            WARNINGS_HEADER: {
                "description": "all warnings, comma separated; only with errorCode 0",
                "schema": {**_STRING, "pattern": r"^\d{1,2}(,\d{1,2})*$"},
            }
        },
        "content": {
            "application/json": {
                "schema": _REPLY,
                "examples": {
                    "0": {"value": {"data": _DATA_EXAMPLE, "errorCode": "0", "errorMessage": "Success"}},
                    **{str(int(code)): _error_example(str(int(code)), code.message) for code in list(ErrorCode)[1:]},
                },
            }
        },
    },
    401: _failure("errorCode 5 if FACEMATCH_AUTH_FAILURE_STATUS=401", "5", ErrorCode.BAD_CREDENTIALS.message),
    **FAILURES,
}

_TYPE1: Final = {
    "name": "type1",
    "in": "query",
    "description": "what image 1 shows; `card` if omitted",
    "schema": {**_STRING, "enum": ["card", "portrait"], "default": "card"},
}


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "description": description, "schema": _STRING | schema}


_PHOTO: Final = {"type": "string", "format": "binary", "minLength": 1}
_BASE64: Final = {"type": "string", "minLength": 1}

MULTIPART: Final[dict[str, Any]] = {
    "schema": {"type": "object", "required": ["img1", "img2"], "properties": {"img1": _PHOTO, "img2": _PHOTO}}
}
JSON: Final[dict[str, Any]] = {
    "schema": {"type": "object", "required": ["img1", "img2"], "properties": {"img1": _BASE64, "img2": _BASE64}},
    "example": {"img1": _CROP, "img2": _CROP},
}
BODY: Final = {"required": True, "content": {"multipart/form-data": MULTIPART, "application/json": JSON}}

GET: Final[dict[str, Any]] = {
    "parameters": [
        _parameter("format_type", "how the photos come", enum=["url"]),
        _TYPE1,
        _parameter("img1", "URL of image 1", format="uri", example="https://example.com/card.png"),
        _parameter("img2", "URL of image 2, a portrait", format="uri", example="https://example.com/portrait.png"),
    ],
}
POST: Final[dict[str, Any]] = {
    "parameters": [_parameter("format_type", "how the photos come", enum=["file", "base64"]), _TYPE1],
    "requestBody": BODY,
}
COMPARE: Final[dict[str, Any]] = {"parameters": [_TYPE1], "requestBody": BODY, "security": [{"basic": []}]}
SECURITY: Final[dict[str, Any]] = {"security": [{"basic": []}]}


def complete_description(app: FastAPI) -> None:
    """Complete FastAPI's description: add the Basic scheme, and the nulls that FastAPI removes from examples."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        scheme = {"type": "http", "scheme": "basic", "description": "user = api_key, password = api_secret"}
        schema.setdefault("components", {})["securitySchemes"] = {"basic": scheme}
        for operation in (operation for path in schema["paths"].values() for operation in path.values()):
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    for example in content.get("examples", {}).values():
                        example["value"] = {"data": None} | example["value"]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
