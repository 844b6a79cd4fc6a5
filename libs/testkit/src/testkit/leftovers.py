"""What is left over of objects that nobody needs: those that lead back to themselves wait for the collector."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def uncollected(kind: type) -> Iterator[Callable[[], int]]:
    """Let the collector rest for the length of the block; what is given counts the objects of a kind that there are."""
    gc.collect()
    gc.disable()
    try:
        yield lambda: sum(type(each) is kind for each in gc.get_objects())
    finally:
        gc.enable()
