"""Bodies that people send, all bounded and nothing unforeseen, the kinds of text in them, and what answers them."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema

from webapi import normal_forms
from webapi.addresses import require_public
from webapi.validation import worded

ONE_LINE = BeforeValidator(normal_forms.one_line)
"""Makes a text one line whose every character is seen, before it is measured."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]
"""A title or a name of a thing: one line of up to 200 characters."""

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(normal_forms.person_name)]
"""A person's name in its one form: up to 100 characters."""

Phone = Annotated[
    str,
    StringConstraints(min_length=11, max_length=32),
    AfterValidator(normal_forms.required_mobile_number),
    Field(description="A mainland mobile number, however it is written; kept as its 11 digits."),
]

WORDS = BeforeValidator(normal_forms.words)
"""Takes what nobody may send out of sight from a text of many lines, before it is measured."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=4000), WORDS]
"""What somebody has to say, in up to 4,000 characters."""

HttpsUrl = Annotated[
    str,
    StringConstraints(
        max_length=2000,
        pattern=worded(
            r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?$",
            en="This must be an address that begins with https:// and has no blanks.",
            zh="应为以 https:// 开头、不含空格的网址。",
        ),
    ),
    AfterValidator(require_public),
    Field(json_schema_extra={"format": "uri"}),
]
"""An address on the web that people are sent to, of a public server."""


def _make_strict(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") in ("int", "float", "bool"):  # or the field of that name, which is a dict
            schema["strict"] = True
        for part in schema.values():
            _make_strict(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _make_strict(part)


class Body(BaseModel):
    """What is sent to a route: a field it does not know is refused, and no error repeats what was sent.

    No text is taken for a number, no number for true or false, nor the other way round.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make numbers and booleans strict, and nothing else: JSON has no type for ids and times."""
        schema = handler(source)
        _make_strict(schema)
        return schema


class Shown(BaseModel):
    """What a route answers with, read by its fields from a row or a thing."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Versioned(Shown):
    """What changes by versions: its answer has the ETag of its version, and a write to it takes `versions.IfMatch`."""

    version: Annotated[int, Field(description="Rises with every change of it; the ETag too, and good for If-Match.")]


class ShownOnce(BaseModel):
    """An answer with a secret that nobody is shown again: it is not kept under an Idempotency-Key."""
