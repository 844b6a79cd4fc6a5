"""The one exception whose words reach the operator's terminal."""


class CannotStart(Exception):
    """A process cannot begin its work; the argument is one line that says why and what to do, without personal data."""
