"""The organisation tree: established, renamed, moved, each with its day."""
