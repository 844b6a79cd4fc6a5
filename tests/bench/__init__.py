"""Measurements, each beside a ceiling taken in the same run: `make bench`, or `make bench ONLY=relay`."""
