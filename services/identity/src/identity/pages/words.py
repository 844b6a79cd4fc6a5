"""What a client may do, in the words of the pages."""

from collections.abc import Iterable

from identity.pages.rendering import TEXTS, Language


def scope_words(scopes: Iterable[str], language: Language) -> list[str]:
    """Say what a client with these scopes may do; every token lets it act for the person, whatever its scopes are."""
    texts = TEXTS[language]
    return [*(texts.get(f"scope_{scope}", scope) for scope in scopes), texts["scope_acts"]]
