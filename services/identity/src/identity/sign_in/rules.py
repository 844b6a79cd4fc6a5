"""How long a browser session lasts, and how strongly each way of signing in proves who somebody is."""

from datetime import timedelta

SESSION_LIFETIME = timedelta(hours=12)
ONE_FACTOR_ACR = "1"
"""The lowest level of authentication: one factor, whichever it was."""
PASSWORD_AMR = ("pwd",)
CODE_AMR = ("sms",)
