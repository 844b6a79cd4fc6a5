"""Roles: which permissions a word stands for, and who holds it on which organisation, from when to when."""
