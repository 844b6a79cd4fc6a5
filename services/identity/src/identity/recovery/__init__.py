"""The way back into an account whose password is forgotten: by code, and for officers never by code alone."""
