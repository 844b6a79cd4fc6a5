"""Makes one OpenAPI 3.1 document of the services' documents: paths that the door lets through, components by name."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, TypeGuard

Document = dict[str, Any]

METHODS: Final = frozenset(("get", "put", "post", "delete", "options", "head", "patch", "trace"))
_LOCAL: Final = "#/components/"
_OWN_SCHEMES: Final = frozenset(("bearer", "oauth2"))

Name = tuple[str, str]
"""A component: its kind ("schemas", "responses", …) and its name."""


def is_document(content: object) -> TypeGuard[Document]:
    """Say whether `content` is an OpenAPI 3.1 document as far as merging relies on it."""
    if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3.1"):
        return False
    paths, components = content.get("paths", {}), content.get("components", {})
    return (
        isinstance(paths, dict)
        and all(isinstance(path, str) and isinstance(item, dict) for path, item in paths.items())
        and isinstance(components, dict)
        and all(isinstance(named, dict) for named in components.values())
    )


def merge(documents: Mapping[str, Document], passes: Callable[[str, str], bool]) -> Document:
    """Give `paths` and `components` of all services; `passes` says whether (path, service) is public.

    A component that several services define alike stands once under its name. Where they differ, or where what they
    refer to differs, each stands under its service's name and its own: the order of services decides nothing.
    """
    shared = _with_all_problem_codes(documents)
    prefixed = _differing(shared)
    paths: Document = {}
    components: Document = {}
    operations: set[str] = set()
    for service, document in shared.items():
        renamed = {name: f"{service.capitalize()}{name[1]}" for name in _components(document) if name in prefixed}
        for kind, named in document.get("components", {}).items():
            for name, content in named.items():
                if kind != "securitySchemes" or name not in _OWN_SCHEMES:
                    own = renamed.get((kind, name), name)
                    components.setdefault(kind, {})[own] = _rewritten(content, renamed)
        for path, item in document.get("paths", {}).items():
            if passes(path, service):
                paths[path] = _public_item(_rewritten(item, renamed), service, renamed, operations)
    return {"paths": dict(sorted(paths.items())), "components": _only_used(paths, components)}


def _components(document: Document) -> Iterator[Name]:
    for kind, named in document.get("components", {}).items():
        for name in named:
            yield kind, name


def _with_all_problem_codes(documents: Mapping[str, Document]) -> dict[str, Document]:
    """Give copies whose schemas of problems list the codes of all services, so that they are one schema."""
    copies = {service: deepcopy(document) for service, document in documents.items()}
    kinds: list[Document] = []
    for document in copies.values():
        problem = document.get("components", {}).get("schemas", {}).get("Problem", {})
        kind = problem.get("properties", {}).get("type")
        if isinstance(kind, dict):
            kinds.append(kind)
    if codes := sorted({str(code) for kind in kinds for code in kind.get("examples", ())}):
        for kind in kinds:
            kind["examples"] = codes
    return copies


def _differing(documents: Mapping[str, Document]) -> set[Name]:
    """Name the components that services define differently, or alike with different things behind their references."""
    found: dict[Name, list[Any]] = {}
    for document in documents.values():
        for kind, own in _components(document):
            if kind != "securitySchemes" or own not in _OWN_SCHEMES:
                found.setdefault((kind, own), []).append(document["components"][kind][own])
    several = {name: contents for name, contents in found.items() if len(contents) > 1}
    differing = {name for name, contents in several.items() if any(content != contents[0] for content in contents)}
    while True:
        behind = {name for name, contents in several.items() if differing & set(_references(contents[0]))} - differing
        if not behind:
            return differing
        differing |= behind


def _references(content: Any) -> Iterator[Name]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "$ref" and isinstance(value, str):
                if (name := _name_of(value)) is not None:
                    yield name
            elif key == "mapping" and isinstance(value, dict):
                yield from (name for each in value.values() if (name := _name_of(each)) is not None)
            else:
                yield from _references(value)
    elif isinstance(content, list):
        for value in content:
            yield from _references(value)


def _name_of(reference: object) -> Name | None:
    if not isinstance(reference, str) or not reference.startswith(_LOCAL):
        return None
    kind, _, own = reference.removeprefix(_LOCAL).partition("/")
    return kind, own.partition("/")[0]


def _rewritten(content: Any, renamed: Mapping[Name, str]) -> Any:
    """Copy `content` with its references following the renamed components."""
    if isinstance(content, list):
        return [_rewritten(value, renamed) for value in content]
    if not isinstance(content, dict):
        return content
    return {
        key: _rewritten_reference(value, renamed)
        if key == "$ref"
        else {each: _rewritten_reference(target, renamed) for each, target in value.items()}
        if key == "mapping" and isinstance(value, dict)
        else _rewritten(value, renamed)
        for key, value in content.items()
    }


def _rewritten_reference(reference: Any, renamed: Mapping[Name, str]) -> Any:
    name = _name_of(reference)
    if name is None or name not in renamed:
        return reference
    kind, own = name
    start = f"{_LOCAL}{kind}/"
    return f"{start}{renamed[name]}{reference[len(start) + len(own) :]}"


def _public_item(item: Document, service: str, renamed: Mapping[Name, str], operations: set[str]) -> Document:
    """Tag a path's operations with their service, make their names unique and their security the system's."""
    for method, operation in item.items():
        if method not in METHODS or not isinstance(operation, dict):
            continue
        operation["tags"] = [service]
        name = operation.get("operationId")
        if name in operations:
            name = operation["operationId"] = f"{service}_{name}"
        if name is not None:
            operations.add(name)
        operation["security"] = list(_security(operation.get("security", []), renamed))
    return item


def _security(requirements: list[dict[str, list[str]]], renamed: Mapping[Name, str]) -> Iterator[Document]:
    for requirement in requirements:
        if "bearer" in requirement:  # a scheme of OAuth alone has scopes that tools know of
            yield from ({"oauth2": list(requirement["bearer"])}, {"bearer": []})
            continue
        yield {renamed.get(("securitySchemes", scheme), scheme): scopes for scheme, scopes in requirement.items()}


def _only_used(paths: Document, components: Document) -> Document:
    """Leave out what no public path leads to: a service's inner paths bring schemas of their own."""
    used: set[Name] = set()
    coming = list(_references(paths))
    while coming:
        kind, own = name = coming.pop()
        if name not in used:
            used.add(name)
            coming += _references(components.get(kind, {}).get(own))
    for item in paths.values():
        for operation in item.values():
            for requirement in operation.get("security", ()) if isinstance(operation, dict) else ():
                used |= {("securitySchemes", scheme) for scheme in requirement}
    kept = {
        kind: {own: content for own, content in sorted(named.items()) if (kind, own) in used}
        for kind, named in sorted(components.items())
    }
    return {kind: named for kind, named in kept.items() if named}
