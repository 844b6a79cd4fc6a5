"""The refusals about consents to purposes as problem details: part of identity's table."""

from identity.purposes.rules import NotByConsent, PurposeUnknown, TextChanged
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    PurposeUnknown: NOT_FOUND,
    NotByConsent: Problem(
        409,
        "not_by_consent",
        "This purpose does not rest on consent.",
        "此项用途不以同意为依据。",
        ("basis",),
    ),
    TextChanged: Problem(
        409,
        "consent_text_changed",
        "The text was changed; read the present one.",
        "告知内容已更新，请阅读现行内容。",
        ("text_version", "text_zh", "text_en"),
    ),
}
