"""Accounts at WeChat that are linked to accounts here: another way in, never a way to an account by itself."""
