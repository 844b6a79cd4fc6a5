"""Makes up the members of a branch: the same ones at every run, none of them real."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from uuid import UUID

from faker import Faker

SEED = "xiangqiao-demo-1"
AS_OF = date(2026, 1, 1)
"""Ages are drawn as of this day, so that a later run makes the same people."""

MEDIAN_BRANCH, SMALLEST_BRANCH, LARGEST_BRANCH = 22, 5, 46
POOL = 2048
MOBILE_PREFIX = "142"
"""No operator has this prefix in service, so no message of a demonstration reaches a living person."""

AGE_PYRAMID = ((18, 30, 0.125), (31, 35, 0.110), (36, 40, 0.105), (41, 45, 0.095), (46, 50, 0.095), (51, 55, 0.095),
               (56, 59, 0.085), (60, 69, 0.160), (70, 79, 0.095), (80, 92, 0.035))  # fmt: skip
"""First and last age of a band and its share: 29% are 60 and over, as among all members at the end of 2024."""

STAGES = (("full", 0.915), ("probationary", 0.025), ("development_target", 0.012), ("activist", 0.022),
          ("applicant", 0.026))  # fmt: skip
OLDEST_BEGINNER = 50
WOMEN = 0.31

_TIMESTAMP_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, the fixed time in every demo id
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_SEQUENCES = 500  # three digits, odd for men and even for women
_FIRST_BIRTHDAY = date(1900, 1, 1)


@dataclass(frozen=True)
class Person:
    """One generated member as the import takes it; `age` is as of `AS_OF`."""

    person_id: UUID
    name: str
    id_number: str
    phone: str | None
    stage: str
    away: bool
    smartphone: bool
    age: int


def demo_id(*parts: object) -> UUID:
    """Give the UUIDv7-shaped id of a thing of the demonstration: the same for the same parts, at one fixed time."""
    digest = int.from_bytes(hashlib.sha256("|".join(map(str, (SEED, *parts))).encode()).digest()[:10], "big")
    high = _TIMESTAMP_MS << 16 | 0x7000 | digest >> 68
    return UUID(int=high << 64 | 0b10 << 62 | digest & (1 << 62) - 1)


def check_character(first_seventeen: str) -> str:
    """Give the eighteenth character of an identity number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


class People:
    """Generator of members; names come from pools that are drawn from Faker once, since drawing is slow."""

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        fake = Faker("zh_CN")
        fake.seed_instance(SEED)
        men = [fake.last_name() + fake.first_name_male() for _ in range(POOL)]
        women = [fake.last_name() + fake.first_name_female() for _ in range(POOL)]
        return men, women

    def of_branch(
        self, branch_key: str, *, county_code: str, position: int, branches_in_county: int
    ) -> Sequence[Person]:
        """Make the members of one branch.

        `position` is the branch's place among its county's, from 0, and keeps identity numbers unique in it whatever
        part of the county is made.
        """
        draw = random.Random(f"{SEED}|{branch_key}")  # noqa: S311 - made-up people, the same at every run
        size = min(LARGEST_BRANCH, max(SMALLEST_BRANCH, round(draw.gauss(MEDIAN_BRANCH, 6))))
        residues = -(-branches_in_county * LARGEST_BRANCH // _SEQUENCES)
        return [
            self._person(draw, f"{branch_key}/{n}", county_code, position * LARGEST_BRANCH + n, residues)
            for n in range(size)
        ]

    def _person(self, draw: random.Random, key: str, county_code: str, number: int, residues: int) -> Person:
        first, last, _ = draw.choices(AGE_PYRAMID, [share for *_, share in AGE_PYRAMID])[0]
        woman = draw.random() < WOMEN
        born = _birthday(draw.randint(first, last), draw.randrange(365), number // _SEQUENCES, residues)
        sequence = number % _SEQUENCES * 2 + (0 if woman else 1)
        digits = f"{county_code}{born:%Y%m%d}{sequence:03d}"
        age = AS_OF.year - born.year - ((AS_OF.month, AS_OF.day) < (born.month, born.day))
        names = self._names[woman]
        reachable = draw.random() < (0.93 if age >= 60 else 0.995)
        phone = f"{MOBILE_PREFIX}{draw.randrange(10**8):08d}"
        return Person(
            person_id=demo_id("person", key),
            name=names[draw.randrange(POOL)],
            id_number=digits + check_character(digits),
            phone=phone if reachable else None,
            stage=_stage(draw, age),
            away=draw.random() < _share_away(age),
            smartphone=draw.random() < _share_with_smartphone(age) and reachable,
            age=age,
        )


def _birthday(age: int, day: int, residue: int, residues: int) -> date:
    """Pick a day at which someone is `age`, moved to the next whose number leaves `residue` modulo `residues`.

    Together with the sequence number this makes identity numbers unique within a county without remembering any.
    """
    latest = date(AS_OF.year - age, AS_OF.month, AS_OF.day)
    window = 365 - residues
    candidate = latest - timedelta(days=364 - day % window)
    shift = (residue - (candidate - _FIRST_BIRTHDAY).days) % residues
    return candidate + timedelta(days=shift)


def _stage(draw: random.Random, age: int) -> str:
    stage = draw.choices([name for name, _ in STAGES], [share for _, share in STAGES])[0]
    return "full" if age > OLDEST_BEGINNER else stage


def _share_away(age: int) -> float:
    """Give the share of an age that works elsewhere; about one in six in all."""
    bands = ((35, 0.34), (45, 0.27), (59, 0.13), (200, 0.02))
    return next(share for upto, share in bands if age <= upto)


def _share_with_smartphone(age: int) -> float:
    bands = ((45, 0.99), (59, 0.93), (69, 0.66), (79, 0.38), (200, 0.12))
    return next(share for upto, share in bands if age <= upto)
