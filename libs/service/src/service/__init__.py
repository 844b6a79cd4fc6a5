"""A service put together: what all of them have, once, and what each has of its own, named in one place."""

from service.composition import Service

__all__ = ["Service"]
