"""Enrolling members: one, or up to a thousand at once."""
