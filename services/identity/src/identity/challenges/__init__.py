"""One-time codes that prove somebody holds a phone."""
