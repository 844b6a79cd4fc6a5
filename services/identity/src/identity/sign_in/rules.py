"""How long a browser session lasts, and how strongly each way of signing in proves who somebody is."""

from datetime import timedelta

SESSION_LIFETIME = timedelta(hours=12)
PASSWORD_ACR = "1"  # noqa: S105 - one factor: the lowest level of authentication
PASSWORD_AMR = ("pwd",)
