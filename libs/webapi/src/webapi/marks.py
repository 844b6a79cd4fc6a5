"""What a decorator below a route notes on its function, for whoever composes the application."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def marking(attribute: str, value: object) -> Callable[[F], F]:
    """Give the decorator that keeps `value` on a function."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, attribute, value)
        return endpoint

    return mark
