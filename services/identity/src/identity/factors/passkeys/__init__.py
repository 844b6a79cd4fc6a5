"""Passkeys (WebAuthn): registered and used for one account each, with the person verified by their device."""
