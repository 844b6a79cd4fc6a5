"""Each kind of text has one form, what nobody sees is refused in both languages, and words keep their lines."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from webapi.bodies import Line, PersonName, Words
from webapi.normal_forms import mobile_number
from webapi.validation import invalid, worded

LINE, NAME, WORDS = TypeAdapter(Line), TypeAdapter(PersonName), TypeAdapter(Words)


@pytest.mark.parametrize("kind", [LINE, NAME, WORDS])
@given(text=st.text(max_size=40))
def test_the_one_form_of_a_form_is_itself(kind: TypeAdapter[str], text: str) -> None:
    try:
        once = kind.validate_python(text)
    except ValidationError:
        return
    assert kind.validate_python(once) == once


def test_a_line_keeps_the_punctuation_of_chinese_and_a_name_has_one_width() -> None:
    assert LINE.validate_python("党委（机关）：２") == "党委（机关）：２"
    assert NAME.validate_python("Ａｎｎａ（二）") == "Anna(二)"
    assert LINE.validate_python("❤\ufe0f 志愿\n服务") == "❤ 志愿 服务"


def test_words_keep_their_lines_and_their_pictures() -> None:
    said = "路灯坏了。\n\t第二行 👨\u200d👩\u200d👧 ❤\ufe0f"
    assert WORDS.validate_python(f" {said}\n") == said
    for unseen in "\x00\x1b\u202e\u2066":
        with pytest.raises(ValidationError):
            WORDS.validate_python(f"路{unseen}灯")


@pytest.mark.parametrize("kind", [LINE, NAME, WORDS])
def test_the_length_is_that_of_the_form_and_no_text_stays_none(kind: TypeAdapter[str]) -> None:
    assert kind.validate_python(f"{' ' * 5_000}张") == "张"
    for wrong in ("", " \u3000\n", 5, None, ["张"], "张\ud800"):
        with pytest.raises(ValidationError):
            kind.validate_python(wrong)


@pytest.mark.parametrize(("language", "words"), [("en", "nobody sees"), ("zh", "看不见的字符")])
def test_what_nobody_sees_is_refused_with_words(language: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NAME.validate_python("\u202e")
    faults: Any = invalid(caught.value.errors(), language).members["errors"]
    [fault] = faults
    assert fault["rule"] == "unseen_characters"
    assert words in fault["message"]


@given(st.text(max_size=80))
def test_no_text_makes_a_mobile_number_fail(text: str) -> None:
    number = mobile_number(text)
    assert number is None or (len(number) == 11 and number.isascii() and number.isdigit())


def test_a_pattern_has_one_pair_of_words() -> None:
    pattern = worded(r"^one of the tests$", en="This must be a test.", zh="应为测试。")
    assert worded(pattern, en="This must be a test.", zh="应为测试。") == pattern
    with pytest.raises(ValueError, match="other words"):
        worded(pattern, en="This must be another.", zh="应为别的。")


@pytest.mark.parametrize("kind", [LINE, NAME, WORDS])
def test_a_text_is_too_long_before_its_marks_are_put_into_order(
    kind: TypeAdapter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    normalized, lengths = unicodedata.normalize, []

    def seen(form: Any, text: str) -> str:
        lengths.append(len(text))
        return normalized(form, text[:100])

    monkeypatch.setattr(unicodedata, "normalize", seen)
    with pytest.raises(ValidationError, match="at most"):
        kind.validate_python("a" + "\u0300\u0327" * 400_000)
    assert max(lengths, default=0) <= 10_000


MARKS = "".join(c for c in map(chr, range(0x110000)) if unicodedata.combining(unicodedata.normalize("NFKD", c)[0]))


@pytest.mark.parametrize("kind", [LINE, NAME, WORDS])
def test_marks_that_pile_up_are_refused_before_they_are_put_into_order(
    kind: TypeAdapter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    normalized = unicodedata.normalize

    def few(form: Any, text: str) -> str:
        ordered = normalized("NFKD", text[:200])
        assert len(text) < 200 or not all(map(unicodedata.combining, ordered[1:])), "would be put into order"
        return normalized(form, text)

    monkeypatch.setattr(unicodedata, "normalize", few)
    assert len(MARKS) > 900
    assert "\u0f73" in MARKS, "one that is a mark by what it is made of alone"
    for mark in MARKS:
        with pytest.raises(ValidationError, match="marks upon it"):
            kind.validate_python("张" + f"{mark}\u0334" * 200)


@pytest.mark.parametrize("kind", [LINE, NAME])
def test_letters_with_many_marks_of_their_own_are_taken(kind: TypeAdapter[str]) -> None:
    for written in ("བཀྲ་ཤིས་བདེ་ལེགས" * 5, "ئابدۇرېھىم" * 9, "Nguyễn " * 9 + "e" + "\u0301" * 30):
        assert kind.validate_python(written)
