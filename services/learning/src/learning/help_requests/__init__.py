"""Where help is asked for: counts for all staff, persons for the own branch alone."""
