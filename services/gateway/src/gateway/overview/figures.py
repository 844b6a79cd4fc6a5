"""The figures that the overview knows, each with its dated formula."""

from importlib import resources

from rulebook import Parameters, Rule, read


class Formula(Parameters):
    """What a figure counts, in words."""

    zh: str
    en: str


def load_figures() -> dict[str, Rule[Formula]]:
    """Read every figure by its measure."""
    book = read(resources.files("gateway") / "overview" / "figures.toml")
    return {name: book.rule(name, Formula) for name in sorted(book.names)}
