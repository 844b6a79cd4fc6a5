"""The OpenAPI 3.1 document of a service: stable operation ids, bearer security, and problems in place of FastAPI's."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from webapi.caller import scopes_named_by
from webapi.problems import KNOWN, PROBLEM_JSON, Problems
from webapi.scopes import demanded_scopes

_HEADERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "Access-Control-Allow-Origin": ("The page's origin, where a client is registered at it.", {"type": "string"}),
    "X-Request-Id": ("The trace of this request, for whoever looks after the system.", {"type": "string"}),
    "RateLimit": ("Sent with 429: what is left and when there is more (draft-ietf-httpapi-ratelimit-headers).", {
        "type": "string"
    }),
    "RateLimit-Policy": ("Sent with 429: the quota.", {"type": "string"}),
    "Retry-After": ("Seconds after which to ask again, with 429, 503 and 504.", {"type": "integer", "minimum": 0}),
    "Location": ("The path of what was made.", {"type": "string", "format": "uri-reference"}),
    "ETag": ("The version of what was answered.", {"type": "string"}),
    "Idempotency-Replayed": ("`true` for the kept answer of a repeated request.", {"type": "string"}),
    "Deprecation": ("Since when the operation is not to be used in anything new (RFC 9745).", {"type": "string"}),
    "Sunset": ("From when on it may be gone (RFC 8594).", {"type": "string"}),
}  # fmt: skip
_ALWAYS: Final = ("Access-Control-Allow-Origin", "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After")
_SUCCESS: Final = (*_ALWAYS, "Location", "ETag", "Deprecation", "Sunset")
_FAILING: Final = ("400", "429", "500", "503", "504", "default")
"""What any operation may answer: the door and the machinery around a route, not the route."""
ALL_PROBLEMS: Final = "x-problems"
"""What every problem of a service says, by its code: for the pages behind their types; it is not published."""
_REFERENCE: Final = {"$ref": "#/components/responses/Problem"}
_WRITING: Final = frozenset({"post", "put", "patch", "delete"})
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key and it takes effect once. Its answer is kept for 48 hours, the "
    "newest 1,000 of a person; what shows a secret is not, and its repetition is 409 `answer_not_kept`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_PROBLEM: Final = {
    "title": "Problem",
    "description": "Problem details (RFC 9457). `type` is `/problems/` and a stable code.",
    "type": "object",
    "required": ["type", "title", "status"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "trace_id": {"type": "string"},
        "errors": {
            "description": "What is wrong: a JSON pointer from /body, /query, /path or /header, and the rule.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "rule", "message"],
                "properties": {
                    "pointer": {"type": "string"},
                    "rule": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def _add_headers(response: dict[str, Any], names: Iterable[str]) -> None:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    response["headers"] = {**headers, **response.get("headers", {})}


def _complete_responses(responses: dict[str, Any], *, replayed: bool) -> None:
    for status in _FAILING:
        responses.setdefault(status, _REFERENCE)
    for status, response in responses.items():
        if status.startswith("2"):
            _add_headers(response, (*_SUCCESS, "Idempotency-Replayed") if replayed else _SUCCESS)
        elif "$ref" not in response:
            _add_headers(response, _ALWAYS)


def operation_id(service: str, route: APIRoute) -> str:
    """Give the stable name of an operation: service and function."""
    return f"{service}_{route.name.rstrip('_')}"


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def scopes_of(service: str, route: APIRoute) -> frozenset[str] | None:
    """Give the scopes that a route demands of a token; None when it asks for none. Raises `ValueError`."""
    named = scopes_named_by(_calls(route.dependant))
    return None if named is None else demanded_scopes(service, route.methods or (), route.endpoint, named)


def protected_operations(
    routes: list[Any], demanded: Mapping[str, frozenset[str]]
) -> dict[tuple[str, str], frozenset[str]]:
    """Give what the routes that ask for a token demand, by (path, method); `demanded` has it by operation."""
    return {
        (route.path_format, method.lower()): scopes
        for route in routes
        if isinstance(route, APIRoute) and (scopes := demanded.get(str(route.operation_id))) is not None
        for method in route.methods or ()
    }


def with_problems(
    document: dict[str, Any], protected: Mapping[tuple[str, str], frozenset[str]], problems: Problems
) -> dict[str, Any]:
    """Complete the document that FastAPI made, in place."""
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            responses = operation["responses"]
            described = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if described.get("$ref", "").endswith("/HTTPValidationError"):
                responses["422"] = _REFERENCE
            if (path, method) in protected:
                operation["security"] = [{"bearer": sorted(protected[path, method])}]
                responses.setdefault("401", {"$ref": "#/components/responses/Unauthenticated"})
                responses.setdefault("403", {"$ref": "#/components/responses/Forbidden"})
                if method in _WRITING:
                    operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
            if any(each["name"] == "If-Match" for each in operation.get("parameters", ())):
                responses.update({"412": _REFERENCE, "428": _REFERENCE})
            _complete_responses(responses, replayed=method in _WRITING and (path, method) in protected)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    codes = sorted({f"/problems/{problem.code}" for problem in problems})
    kind = {**_PROBLEM["properties"]["type"], "examples": codes} if codes else _PROBLEM["properties"]["type"]  # type: ignore[index]
    schemas["Problem"] = {**_PROBLEM, "properties": {**_PROBLEM["properties"], "type": kind}}  # type: ignore[dict-item]
    document[ALL_PROBLEMS] = {
        problem.code: {"status": problem.status, "en": problem.title_en, "zh": problem.title_zh}
        for problem in sorted(KNOWN.values(), key=lambda problem: problem.code)
    }
    components["headers"] = {
        name: {"description": says, "schema": dict(form)} for name, (says, form) in _HEADERS.items()
    }
    components.setdefault("responses", {})["Problem"] = {
        "description": "The request is refused or failed.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    _add_headers(components["responses"]["Problem"], _ALWAYS)
    components["responses"]["Unauthenticated"] = {
        **components["responses"]["Problem"],
        "description": "No token, a token that does not hold (`token_invalid`), or `step_up_required`: the person has "
        "to prove more, or anew, who they are. The challenge then names what to ask the authorization endpoint for, "
        "as `acr_values` and `max_age` (RFC 9470).",
        "headers": {
            **components["responses"]["Problem"]["headers"],
            "WWW-Authenticate": {"description": "RFC 6750 and RFC 9470.", "schema": {"type": "string"}},
        },
    }
    components["responses"]["Forbidden"] = {
        **components["responses"]["Problem"],
        "description": "The person lacks the permission, or the application the scope (`scope_missing`). Then the "
        "challenge names what the token has to hold (RFC 6750).",
        "headers": {
            **components["responses"]["Problem"]["headers"],
            "WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}},
        },
    }
    components.setdefault("securitySchemes", {})["bearer"] = {
        "type": "http", "scheme": "bearer", "bearerFormat": "at+jwt",
    }  # fmt: skip
    return document
