"""Which figures of a table are hidden, so that no group of fewer than five people is seen or can be worked out."""

from suppression.groups import NOBODY, SMALLEST_SHOWN, Group, is_small, people_in, together
from suppression.hiding import Cell, Cells, Column, Line, protect
from suppression.trees import ITSELF, Row, Structure, hidden_in, hidden_of_root

__all__ = [
    "ITSELF",
    "NOBODY",
    "SMALLEST_SHOWN",
    "Cell",
    "Cells",
    "Column",
    "Group",
    "Line",
    "Row",
    "Structure",
    "hidden_in",
    "hidden_of_root",
    "is_small",
    "people_in",
    "protect",
    "together",
]
