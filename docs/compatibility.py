"""What of a released API document another one takes away from the clients that were made of it."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Schema = dict[str, Any]

UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")


def taken_away(released: Document, now: Document) -> list[str]:
    """List what a client of `released` would miss: paths, statuses, fields and values, or be newly asked for."""
    return sorted(set(_Comparison(released, now).differences()))


class _Comparison:
    def __init__(self, released: Document, now: Document) -> None:
        self._released = released
        self._now = now

    def differences(self) -> Iterator[str]:
        for path, item in self._released["paths"].items():
            for method, before in item.items():
                name, after = f"{method.upper()} {path}", self._now["paths"].get(path, {}).get(method)
                if after is None:
                    yield f"{name} is gone"
                    continue
                yield from self._parameters(name, before, after)
                yield from self._answers(name, before, after)
                yield from self._body(name, before, after)

    def _parameters(self, name: str, before: Document, after: Document) -> Iterator[str]:
        known = {(each["in"], each["name"]): each for each in before.get("parameters", ())}
        kept = {(each["in"], each["name"]): each for each in after.get("parameters", ())}
        for key, parameter in kept.items():
            if parameter.get("required") and not known.get(key, {}).get("required"):
                yield f"{name}: demands the parameter {key[1]}"
        for key, parameter in known.items():
            if key not in kept:
                yield f"{name}: no longer takes the parameter {key[1]}"
            else:
                yield from self._sent(f"{name} {key[1]}", parameter["schema"], kept[key]["schema"], frozenset())

    def _answers(self, name: str, before: Document, after: Document) -> Iterator[str]:
        for status, answer in before["responses"].items():
            if status not in after["responses"]:
                yield f"{name}: no longer answers {status}"
                continue
            for kind, content in answer.get("content", {}).items():
                kept = after["responses"][status].get("content", {}).get(kind)
                if kept is None:
                    yield f"{name}: no longer answers {status} with {kind}"
                elif "schema" in content:
                    yield from self._given(f"{name} {status}", content["schema"], kept.get("schema", {}), frozenset())

    def _body(self, name: str, before: Document, after: Document) -> Iterator[str]:
        if after.get("requestBody", {}).get("required") and "requestBody" not in before:
            yield f"{name}: demands a body"
        for kind, content in before.get("requestBody", {}).get("content", {}).items():
            kept = after.get("requestBody", {}).get("content", {}).get(kind)
            if kept is None:
                yield f"{name}: no longer takes {kind}"
            elif "schema" in content:
                yield from self._sent(f"{name} body", content["schema"], kept["schema"], frozenset())

    def _given(self, at: str, before: Schema, after: Schema, seen: frozenset[str]) -> Iterator[str]:
        """Compare what is answered: a field, once there, stays, and of its type."""
        if before.get("$ref") in seen:
            return
        seen |= {before["$ref"]} if "$ref" in before else set()
        before, after = _resolved(self._released, before), _resolved(self._now, after)
        if before.get("type") != after.get("type"):
            yield f"{at}: is another type"
        for name, schema in before.get("properties", {}).items():
            if name not in after.get("properties", {}):
                yield f"{at}: {name} is gone"
                continue
            if name in before.get("required", ()) and name not in after.get("required", ()):
                yield f"{at}: {name} may be left out"
            yield from self._given(f"{at}.{name}", schema, after["properties"][name], seen)
        if "items" in before:
            yield from self._given(f"{at}[]", before["items"], after.get("items", {}), seen)
        for old, new in zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False):
            yield from self._given(at, old, new, seen)

    def _sent(self, at: str, before: Schema, after: Schema, seen: frozenset[str]) -> Iterator[str]:
        """Compare what is taken: whatever was good to send stays good; of patterns nobody can tell which is wider."""
        if before.get("$ref") in seen:
            return
        seen |= {before["$ref"]} if "$ref" in before else set()
        before, after = _resolved(self._released, before), _resolved(self._now, after)
        after = _alternative(after, before)
        if before.get("type") != after.get("type"):
            yield f"{at}: is another type"
        for name in set(after.get("required", ())) - set(before.get("required", ())):
            yield f"{at}: {name} is demanded"
        if "enum" in after and (gone := set(before.get("enum", ["others"])) - set(after["enum"])):
            yield f"{at}: no longer takes {', '.join(map(str, sorted(gone)))}"
        narrowed = [bound for bound in UPPER if bound in after and after[bound] < before.get(bound, float("inf"))]
        narrowed += [bound for bound in LOWER if bound in after and after[bound] > before.get(bound, float("-inf"))]
        for bound in narrowed:
            yield f"{at}: {bound} is narrower"
        for name, schema in before.get("properties", {}).items():
            if name not in after.get("properties", {}):
                yield f"{at}: {name} is no longer taken"
            else:
                yield from self._sent(f"{at}.{name}", schema, after["properties"][name], seen)
        if "items" in before:
            yield from self._sent(f"{at}[]", before["items"], after.get("items", {}), seen)
        for old, new in zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False):
            yield from self._sent(at, old, new, seen)


def _alternative(schema: Schema, wanted: Schema) -> Schema:
    """Give the one of several kinds that is like `wanted`: another beside it takes nothing away from who sends that."""
    same = (each for each in schema.get("anyOf", ()) if each.get("type") == wanted.get("type"))
    return schema if "anyOf" in wanted else next(same, schema)


def _resolved(document: Document, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
