"""What a username and a password may be, and hashing passwords off the event loop."""
