"""What a demonstration shows beside the tree and its members, as `scenario.toml` says it."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from standalone.refusals import CannotRun

At = Literal["root", "county", "branch", "neighbour"]
MemberKind = Literal["secretary", "away", "present"]


class InvalidScenario(CannotRun):
    """The scenario file is wrong; the message is one line that names the place and the reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Neighbour(_Part):
    """How much of the next county is loaded."""

    townships: Annotated[int, Field(ge=1)]
    villages_of_each: Annotated[int, Field(ge=1)]


class DemoPerson(_Part):
    """Somebody who can sign in: with a role at a place, as one of the branch's members, or as neither."""

    username: str
    title_zh: str
    title_en: str
    role: str | None = None
    at: At | None = None
    member: MemberKind | None = None
    second_factor: bool = False
    """Whether they use an authenticator app, as everybody does who opens the files of others."""


class Lesson(_Part):
    """A lesson as it is published."""

    title: str
    kind: str
    body: str


class Course(_Part):
    """A course for everyone at and below a place."""

    key: str
    at: At
    title: str
    lessons: Annotated[tuple[Lesson, ...], Field(min_length=1)]


class Responsibility(_Part):
    """Who answers a category's cases from a place."""

    category: str
    at: At
    responsible: At
    working_days: int
    valid_from: date


class Meeting(_Part):
    """A meeting of the branch, some days from the first run, at an hour in China."""

    key: str
    kind: str
    title: str
    in_days: Annotated[int, Field(ge=0)]
    hour: Annotated[int, Field(ge=0, le=23)]
    minutes: Annotated[int, Field(ge=1)]
    place: str
    join_url: str | None = None
    agenda: tuple[str, ...]


class Case(_Part):
    """What somebody brings up about the branch's village, and the secretary's answer where there is one yet."""

    key: str
    by: str
    category: str
    text: str
    answer: str | None = None


class Scenario(_Part):
    """A demonstration; `county` is the code of the one that is loaded unless another is asked for."""

    county: str
    neighbour: Neighbour
    people: tuple[DemoPerson, ...]
    courses: tuple[Course, ...]
    responsibilities: tuple[Responsibility, ...]
    meetings: tuple[Meeting, ...]
    cases: tuple[Case, ...]

    def with_role(self, role: str) -> DemoPerson:
        """Give the first person with a role; raises `InvalidScenario` when nobody has it."""
        found = next((person for person in self.people if person.role == role), None)
        if found is None:
            raise InvalidScenario(f"the scenario has nobody with the role {role}")
        return found


def read_scenario(path: Path) -> Scenario:
    """Read a scenario. Raises `InvalidScenario`."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return Scenario.model_validate(content)
    except OSError as error:
        raise InvalidScenario(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidScenario(f"{path.name}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InvalidScenario(f"{path.name}: {place}: {first['msg']}") from error
