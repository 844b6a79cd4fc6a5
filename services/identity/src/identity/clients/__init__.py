"""Clients: the front ends and systems that may ask for tokens, proposed by one person and reviewed by another."""
