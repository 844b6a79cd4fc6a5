"""Each word that a service writes, and that figures count by, has its part of the figure."""

from collections.abc import Iterable
from datetime import date
from typing import get_args

import pytest

from activities.participation.rules import ParticipationMode
from feedback.cases.rules import CaseStatus
from gateway.overview.figures import load_figures
from members.files.rules.counts import AGE_BANDS
from members.files.schemas import Stage

WORDS = {
    "cases.now": get_args(CaseStatus),
    "members.age": [band.name for band in AGE_BANDS.as_of(date(2026, 11, 30)).parameters.bands],
    "members.stage": get_args(Stage),
    "participation.by": get_args(ParticipationMode),
}


@pytest.mark.parametrize(("breakdown", "words"), WORDS.items(), ids=WORDS)
def test_each_word_has_its_figure_and_each_figure_its_word(breakdown: str, words: Iterable[str]) -> None:
    parts = {measure for measure in load_figures() if measure.rpartition(".")[0] == breakdown}
    assert parts == {f"{breakdown}.{word}" for word in words}, "say in overview/figures.toml what each word counts"
