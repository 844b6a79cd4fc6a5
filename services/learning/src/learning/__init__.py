"""What people can learn, and where they need help."""
