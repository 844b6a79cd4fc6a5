"""Identity keeps its own audit, and witnesses that of the other services."""
