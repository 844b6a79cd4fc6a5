"""One's own account: who one is, and changing what opens it."""
