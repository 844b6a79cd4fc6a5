"""The pages of identity in a real browser."""
