"""One reading of Accept-Language for problems and pages."""

import pytest

from webapi.languages import language_named, language_of, preferred


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("de, en;q=0.7, zh;q=0.3", "en"),
        ("en, zh", "en"),
        ("zh, en", "zh"),
        ("en;q=0.2, *;q=0.5", "zh"),
        ("en;q=0", "zh"),
        ("en ; Q=0.7, zh;q=0.3", "en"),
        ("en;q=much, fr", "zh"),
        ("enm", "zh"),
        ("", "zh"),
    ],
)
def test_the_language_is_the_one_preferred_most(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
    assert language_of([(b"accept", b"*/*"), (b"accept-language", accepted.encode())]) == language


def test_without_the_header_it_is_chinese() -> None:
    assert language_of([]) == "zh"


def test_a_tag_is_read_without_its_region() -> None:
    assert [language_named(tag) for tag in ("zh-Hans-CN", "en", "fr")] == ["zh", "en", None]
