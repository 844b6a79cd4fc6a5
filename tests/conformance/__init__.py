"""Unmodified OAuth and OpenID Connect clients of others against the running system."""
