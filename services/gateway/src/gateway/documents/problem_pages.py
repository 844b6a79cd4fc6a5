"""The pages behind the types of problems: what a code says, in the reader's language, as HTML or as JSON."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, NamedTuple, TypeAlias

import orjson

from gateway.documents.merging import Document
from webapi.languages import Language
from webapi.openapi import ALL_PROBLEMS
from webapi.problems import by_status

PREFIX: Final = "/problems/"
_BY_STATUS: Final = re.compile(r"http_([45]\d\d)")
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p><code>{code}</code> · HTTP {status}</p>
</html>
"""


class Told(NamedTuple):
    """What is told of one code."""

    status: int
    en: str
    zh: str


AllTold: TypeAlias = Mapping[str, Told]


def problems_of(documents: Iterable[Document]) -> dict[str, Told]:
    """Read what the documents of services say of their problems; raises `TypeError` and its like otherwise."""
    return {
        str(code): Told(int(said["status"]), str(said["en"]), str(said["zh"]))
        for document in documents
        for code, said in document.get(ALL_PROBLEMS, {}).items()
    }


def told_of(problems: AllTold, code: str) -> Told | None:
    """Give what is told of a code; a status that a library refused with has one, too."""
    if (named := _BY_STATUS.fullmatch(code)) is not None:
        general = by_status(int(named[1]))
        return Told(general.status, general.title_en, general.title_zh)
    return problems.get(code)


def page_of(code: str, told: Told, language: Language, *, as_json: bool) -> bytes:
    """Write the page, or for a program the problem itself."""
    title = told.en if language == "en" else told.zh
    if as_json:
        return orjson.dumps({"type": f"{PREFIX}{code}", "title": title, "status": told.status})
    locale = "en" if language == "en" else "zh-CN"
    return _PAGE.format(language=locale, title=escape(title), code=escape(code), status=told.status).encode()
