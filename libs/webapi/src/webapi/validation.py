"""Tells what is wrong with a request by place and rule, never by repeating the value, which may be personal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import PydanticCustomError

from contracts.envelope import CODE_PATTERN
from webapi.problems import INVALID, Refusal

MOST_ERRORS: Final = 20
LONGEST_POINTER: Final = 300

# Rules (pydantic's error types) -> message in English and Chinese, filled from the rule's own limits and nothing else.
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("This field is required.", "此项必填。"),
    "extra_forbidden": ("There is no such field.", "没有此字段。"),
    "string_type": ("This must be text.", "应为文本。"),
    "string_unicode": ("This holds half of a character; write it anew.", "文本含有不完整的字符,请重新填写。"),
    "string_too_short": ("This needs at least {min_length} characters.", "至少 {min_length} 个字符。"),
    "string_too_long": ("This may have at most {max_length} characters.", "最多 {max_length} 个字符。"),
    "too_short": ("This needs at least {min_length} entries.", "至少 {min_length} 项。"),
    "too_long": ("This may have at most {max_length} entries.", "最多 {max_length} 项。"),
    "greater_than": ("This must be greater than {gt}.", "应大于 {gt}。"),
    "greater_than_equal": ("This must be at least {ge}.", "不应小于 {ge}。"),
    "less_than": ("This must be less than {lt}.", "应小于 {lt}。"),
    "less_than_equal": ("This must be at most {le}.", "不应大于 {le}。"),
    "int_type int_parsing int_from_float": ("This must be a whole number.", "应为整数。"),
    "int_parsing_size": ("This number is too large.", "数字过大。"),
    "finite_number": ("This must be a number.", "应为数字。"),
    "bool_type bool_parsing": ("This must be true or false.", "应为是或否。"),
    "uuid_type uuid_parsing": ("This must be a UUID.", "应为 UUID。"),
    "datetime_type datetime_parsing datetime_from_date_parsing": (
        "This must be a time (RFC 3339).",
        "应为 RFC 3339 时间。",
    ),
    "timezone_aware": ("This time needs an offset from UTC.", "时间须带时区。"),
    "date_type date_parsing date_from_datetime_parsing date_from_datetime_inexact": (
        "This must be a date (YYYY-MM-DD).",
        "应为日期(YYYY-MM-DD)。",
    ),
    "literal_error enum": ("This must be one of: {expected}.", "应为以下之一:{expected}。"),
    "json_invalid": ("This is not JSON.", "不是有效的 JSON。"),
    "model_attributes_type dict_type": ("This must be an object.", "应为对象。"),
    "list_type tuple_type": ("This must be a list.", "应为列表。"),
}
_MESSAGES: Final = {rule: texts for rules, texts in _TEXTS.items() for rule in rules.split()}
_OTHERWISE: Final = ("This is not valid.", "内容有误。")
_OF_PATTERNS: Final[dict[str, tuple[str, str]]] = {}


def worded(pattern: str, *, en: str, zh: str) -> str:
    """Give `pattern` back, and let the refusal of what does not match it say what is wanted, in both languages."""
    if _OF_PATTERNS.setdefault(pattern, (en, zh)) != (en, zh):
        raise ValueError(f"{pattern} has other words already")
    return pattern


worded(
    CODE_PATTERN,
    en="This must be a code of Latin letters, digits, dots, hyphens and underscores.",
    zh="应为代码：只含英文字母、数字、点、连字符或下划线。",
)


def _pointer(place: Sequence[int | str]) -> str:
    """Write a place as a JSON pointer (RFC 6901) that begins with where it is: /body, /query, /path or /header."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)[:LONGEST_POINTER]


def rule_broken(rule: str, *, en: str, zh: str) -> PydanticCustomError:
    """Make what a schema's own validator raises: not `ValueError`, for which there is no text that says what to do.

    `rule` is a stable code; `en` and `zh` say what to do and hold nothing of what was sent.
    """
    return PydanticCustomError(rule, "{en}", {"en": en, "zh": zh})


def _message(rule: str, limits: Mapping[str, Any], language: str) -> str:
    texts = _OF_PATTERNS.get(limits["pattern"]) if rule == "string_pattern_mismatch" else _MESSAGES.get(rule)
    if texts is not None:
        return texts[0 if language == "en" else 1].format_map(limits)
    otherwise = _OTHERWISE[0 if language == "en" else 1]
    return str(limits.get("en" if language == "en" else "zh", otherwise))


def invalid(errors: Sequence[Mapping[str, Any]], language: str) -> Refusal:
    """Make the 422 refusal for pydantic's `errors`: up to 20 of `{pointer, rule, message}`."""
    faults = [
        {
            "pointer": "/body" if error["type"] == "json_invalid" else _pointer(error["loc"]),
            "rule": error["type"],
            "message": _message(error["type"], error.get("ctx", {}), language),
        }
        for error in errors[:MOST_ERRORS]
    ]
    return Refusal(INVALID, errors=faults)
