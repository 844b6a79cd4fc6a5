"""What a person has to do and to read, in one list."""
