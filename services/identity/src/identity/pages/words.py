"""What a client may do, in the words of the pages."""

from collections.abc import Iterable

from contracts.scopes import API_SCOPES
from identity.pages.html import TEXTS
from webapi.languages import Language


def scope_words(scopes: Iterable[str], language: Language) -> list[str]:
    """Say what a client with these scopes may do, and that in the API it does no more than the person may."""
    asked, texts = list(scopes), TEXTS[language]
    words = [texts[f"scope_{scope.replace('.', '_')}"] for scope in asked]
    return [*words, texts["scope_bound"]] if set(asked) & set(API_SCOPES) else words
