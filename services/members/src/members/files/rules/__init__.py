"""What holds for member files, by subject; no I/O, no clock, no random."""
