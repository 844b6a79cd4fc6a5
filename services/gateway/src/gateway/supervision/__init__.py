"""Who of the system is there and how it does: in plain words for everybody, with figures for those who run it."""
