"""Assisted sessions: a helper acts for a person who agreed before a witness or by a code, for half an hour."""
