"""The keys that sign tokens: made, sealed, published, rotated."""
