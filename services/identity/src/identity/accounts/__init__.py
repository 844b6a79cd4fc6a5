"""Accounts: who a person is to the system, by which names they are known and how they prove it."""
