"""What slows down who guesses or asks too often, without shutting out the person whose account it is."""
