"""Bodies that people send, all bounded and nothing unforeseen, the kinds of text in them, and what answers them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_ONE_LINE)]
"""A title or a name of a thing: one line of up to 200 characters."""

PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_ONE_LINE)]
"""A person's name: one line of up to 100 characters."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
"""What somebody has to say, in up to 4,000 characters."""

HttpsUrl = Annotated[
    str, StringConstraints(max_length=2000, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?$")
]
"""An address on the web that people are sent to."""


class Body(BaseModel):
    """What is sent to a route: a field it does not know is refused, and no error repeats what was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Shown(BaseModel):
    """What a route answers with, read by its fields from a row or a thing."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ShownOnce(BaseModel):
    """An answer with a secret that nobody is shown again: it is not kept under an Idempotency-Key."""
