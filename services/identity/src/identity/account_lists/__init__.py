"""Lists of accounts to open: one person gives a list, another approves it, and the worker opens its accounts."""
