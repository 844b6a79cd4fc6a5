"""The pages on which an owner stops a recovery or a new phone that somebody else asked for."""
