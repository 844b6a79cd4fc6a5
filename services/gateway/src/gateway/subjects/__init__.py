"""Reads what items and changes are about from the services that own it, with the caller's own token."""
