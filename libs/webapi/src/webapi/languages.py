"""The language that somebody wants to be answered in, Chinese or English."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
_MOST_ITEMS = 20


def language_named(tag: str) -> Language | None:
    """Give the language of a tag like `en-GB` (RFC 5646); None for another one."""
    match tag.strip().lower().partition("-")[0]:
        case "zh":
            return "zh"
        case "en":
            return "en"
        case _:
            return None


def preferred(accepted: str) -> Language:
    """Choose by the value of `Accept-Language` (RFC 9110, 12.5.4): the highest weight, of equal ones the first.

    `*` means Chinese, and so does a value that asks for neither language.
    """
    best: Language = "zh"
    best_weight = 0.0
    for item in accepted.split(",")[:_MOST_ITEMS]:
        tag, _, weight_text = item.partition(";")
        try:
            weight = float(weight_text.strip().lower().removeprefix("q=")) if weight_text else 1.0
        except ValueError:
            continue
        language = "zh" if tag.strip() == "*" else language_named(tag)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def language_of(headers: Sequence[tuple[bytes, bytes]]) -> Language:
    """Choose by the headers of a request."""
    return preferred(next((value.decode("latin-1") for name, value in headers if name == b"accept-language"), ""))
