"""How long a browser session lasts, and how strongly each way of signing in proves who somebody is."""

from datetime import timedelta

SESSION_LIFETIME = timedelta(hours=12)
