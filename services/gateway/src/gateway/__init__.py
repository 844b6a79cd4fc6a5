"""One door: forwards every call, and answers home and overview."""
