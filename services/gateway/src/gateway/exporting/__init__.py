"""One file with all that the system knows of a person, put together from the parts of every service."""
