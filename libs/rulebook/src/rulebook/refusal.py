"""What a rule raises when something may not be done."""

from collections.abc import Mapping
from datetime import date

Detail = str | int | bool | date | None


class Refused(Exception):
    """A rule does not allow what was asked; it says which rule, in which version, and what was missing.

    `requirement` is a code for programs (`too_few_signatures`), `zh` and `en` say the same to people. `details` are
    figures, codes, ids and dates that explain it: never a name, a number of a document or free text, because they
    reach logs. `holds_from` and `source` name the version of the rule that was applied; `holds_from` is nothing where
    the rule is not dated.
    """

    def __init__(
        self,
        rule: str,
        requirement: str,
        *,
        zh: str,
        en: str,
        holds_from: date | None = None,
        source: str | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(f"{rule}: {requirement}" + (f" (rule of {holds_from})" if holds_from else ""))
        self.rule = rule
        self.requirement = requirement
        self.zh = zh
        self.en = en
        self.holds_from = holds_from
        self.source = source
        self.details: dict[str, Detail] = dict(details or {})
