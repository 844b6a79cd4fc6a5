"""Read rules files (TOML) and check them before anything is decided by them."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import ValidationError

from rulebook.rules import Parameters, Rule, RuleVersion

P = TypeVar("P", bound=Parameters)

_FIELDS = {"holds_from", "holds_until", "source", "parameters"}


class InvalidRules(Exception):
    """Rules files are wrong; `problems` has one line each, naming file, rule and version."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class _Written:
    """A version as its file has it, its dates checked and its parameters not yet."""

    file: str
    rule: str
    holds_from: date
    holds_until: date | None
    source: str
    parameters: Mapping[str, Any]

    @property
    def label(self) -> str:
        return f"{self.file}: {self.rule} from {self.holds_from}"


class Rulebook:
    """The rules of some files, by name, dates checked; `rule` checks the parameters of one."""

    def __init__(self, versions: Mapping[str, Sequence[_Written]], where: str) -> None:
        self._versions = versions
        self._where = where

    @property
    def names(self) -> frozenset[str]:
        """The names of all rules, so that a test can tell when a file has one nobody asks for."""
        return frozenset(self._versions)

    def rule(self, name: str, parameters: type[P]) -> Rule[P]:
        """Give the rule `name`, each version's parameters parsed into `parameters`; raises `InvalidRules`."""
        if name not in self._versions:
            raise InvalidRules([f"{self._where}: {name}: missing"])
        versions: list[RuleVersion[P]] = []
        problems: list[str] = []
        for written in self._versions[name]:
            try:
                parsed = parameters.model_validate(written.parameters)
            except ValidationError as error:
                wrong = [(".".join(map(str, each["loc"])) or "parameters", each["msg"]) for each in error.errors()]
                problems += [f"{written.label}: {place}: {message}" for place, message in wrong]
                continue
            versions.append(RuleVersion(name, written.holds_from, written.holds_until, written.source, parsed))
        if problems:
            raise InvalidRules(problems)
        return Rule(name, versions)


def read(place: Traversable) -> Rulebook:
    """Read one rules file, or every `*.toml` of a folder, e.g. `read(resources.files("members") / "rules")`.

    A file has one array of tables for each rule, one table for each version. `holds_until` is the version's last day
    and may be left out: then it holds until the next begins, the last one until further notice. Figures with a point
    are read as `Decimal`::

        [[grace_period]]
        holds_from = 2020-01-01
        source = "where it is written"
        parameters = { days = 14 }

    Raises `InvalidRules` with every problem of every file, `OSError` when there is nothing to read.
    """
    found = [place] if place.is_file() else [file for file in place.iterdir() if file.name.endswith(".toml")]
    files = sorted(found, key=lambda file: file.name)
    problems: list[str] = []
    rules: dict[str, list[_Written]] = {}
    home: dict[str, str] = {}
    if not files:
        problems.append(f"{place.name}: no rules file")
    for file in files:
        for name, tables in _tables(file, problems):
            if name in home:
                problems.append(f"{file.name}: {name}: already in {home[name]}")
                continue
            home[name] = file.name
            numbered = enumerate(tables, start=1)
            versions = [w for n, t in numbered if (w := _version(file.name, name, n, t, problems)) is not None]
            rules[name] = _in_order(versions, problems)
    if problems:
        raise InvalidRules(problems)
    return Rulebook(rules, place.name)


def _tables(file: Traversable, problems: list[str]) -> Iterator[tuple[str, list[Any]]]:
    """Give each rule's name and the tables of its versions."""
    try:
        content = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file.name}: not TOML: {error}")
        return
    for name, tables in content.items():
        if isinstance(tables, list) and tables:
            yield name, tables
        else:
            problems.append(f"{file.name}: {name}: a rule is written as [[{name}]], once for each version")


def _version(file: str, rule: str, number: int, table: object, problems: list[str]) -> _Written | None:
    """Check one version's own fields; its parameters are checked when somebody names their model."""
    label = f"{file}: {rule} version {number}"
    if not isinstance(table, dict):
        problems.append(f"{label}: not a table")
        return None
    before = len(problems)
    holds_from, holds_until, source = table.get("holds_from"), table.get("holds_until"), table.get("source")
    parameters = table.get("parameters", {})
    problems += [f"{label}: {field}: unknown field" for field in table if field not in _FIELDS]
    if not _is_day(holds_from):
        problems.append(f"{label}: holds_from: " + ("missing" if holds_from is None else "not a date"))
    if holds_until is not None and not _is_day(holds_until):
        problems.append(f"{label}: holds_until: not a date")
    if not isinstance(source, str) or not source.strip():
        problems.append(f"{label}: source: " + ("missing" if source is None else "not a text"))
    if not isinstance(parameters, dict):
        problems.append(f"{label}: parameters: not a table")
    if len(problems) > before or not isinstance(holds_from, date) or not isinstance(source, str):
        return None
    return _Written(file, rule, holds_from, holds_until, source, parameters)


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _in_order(versions: Sequence[_Written], problems: list[str]) -> list[_Written]:
    """Sort by date, close each open end at the next version's eve, and report what overlaps or leaves a gap."""
    ordered = sorted(versions, key=lambda version: version.holds_from)
    result: list[_Written] = []
    for position, version in enumerate(ordered):
        until = version.holds_until
        if until is not None and until < version.holds_from:
            problems.append(f"{version.label}: ends on {until}, before it begins")
        if position + 1 < len(ordered):
            following = ordered[position + 1].holds_from
            eve = following - timedelta(days=1)
            if following == version.holds_from or (until is not None and until > eve):
                problems.append(f"{version.label}: overlaps the version from {following}")
            elif until is not None and until < eve:
                problems.append(f"{version.label}: ends on {until}, a gap to the version from {following}")
            until = eve
        result.append(replace(version, holds_until=until))
    return result
