"""The operations of the running system, as its gateway describes them, with what each demands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

import audit
from identity.roles.definitions import roles_to_define
from webapi.access import CLIENT, EXTENSION, ONE_FACTOR, PUBLIC, SELF

METHODS = ("get", "post", "put", "patch", "delete")
WORDS = frozenset({PUBLIC, CLIENT, SELF})
PERMISSIONS: Mapping[str, frozenset[str]] = {
    name: frozenset(role.permissions) for name, role in roles_to_define().items()
}


@dataclass(frozen=True)
class Operation:
    """One method on one path; `rules` are what it demands, any one of them, `audited` the entries it may leave.

    For `one_factor` a permission is enough; everywhere else it takes two. `texts` are the parameters of its query and
    path that take any word. What it writes may be told to be of one version where it `takes_if_match`.
    """

    method: str
    path: str
    rules: frozenset[str]
    audited: tuple[str, ...] = ()
    one_factor: bool = False
    texts: tuple[str, ...] = ()
    takes_if_match: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def permissions(self) -> frozenset[str]:
        return self.rules - WORDS

    @property
    def needs_token(self) -> bool:
        return bool(self.rules - {PUBLIC, CLIENT})

    @property
    def for_everybody(self) -> bool:
        return SELF in self.rules

    def roles(self) -> list[str]:
        """List the roles that have a permission which this operation demands."""
        return [role for role, permissions in PERMISSIONS.items() if permissions & self.permissions]


def operations_in(document: Mapping[str, Any]) -> list[Operation]:
    """Read an OpenAPI document."""
    found = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                rules, left = item[method].get(EXTENSION, []), item[method].get(audit.EXTENSION, [])
                demanded = frozenset([rules] if isinstance(rules, str) else rules)
                audited = tuple(left) if isinstance(left, list) else ()
                texts = tuple(each["name"] for each in item[method].get("parameters", ()) if _takes_words(each))
                by_version = any(each["name"] == "If-Match" for each in item[method].get("parameters", ()))
                one_factor = ONE_FACTOR in item[method]
                found.append(Operation(method.upper(), path, demanded, audited, one_factor, texts, by_version))
    return sorted(found, key=lambda operation: (operation.path, operation.method))


def _takes_words(parameter: Mapping[str, Any]) -> bool:
    schema = parameter["schema"]
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") == "string"]
    closed = any("enum" in each or "const" in each or "format" in each for each in kinds)
    return parameter["in"] in {"query", "path"} and bool(kinds) and not closed and parameter["name"] != "cursor"


async def operations_of(url: str) -> list[Operation]:
    """Ask the gateway what there is."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        return operations_in((await client.get("/openapi.json")).raise_for_status().json())
