"""Devices without a browser or keyboard sign in by a code that a person types on their own phone (RFC 8628)."""
