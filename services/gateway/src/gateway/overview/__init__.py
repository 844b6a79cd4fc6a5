"""Figures of an organisation and everything below it, small groups suppressed."""
