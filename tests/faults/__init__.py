"""Faults: what is killed, cut, wiped and frozen while work goes on, and the oracle that says whether it did harm."""
