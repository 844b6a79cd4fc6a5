"""The dated rules of this service, read and checked once."""

from importlib import resources

import rulebook

RULES = rulebook.read(resources.files("members") / "rules")
