"""What people say, and what is done about it."""
