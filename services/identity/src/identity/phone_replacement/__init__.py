"""A new phone on file for whoever has lost the old one, or never had one: two officers, and a day to object."""
