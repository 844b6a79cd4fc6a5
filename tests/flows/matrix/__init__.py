"""What the test of every operation and every role begins with: people, things of theirs, examples of requests."""
