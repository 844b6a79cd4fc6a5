"""Forwards each public path to its service, in raw ASGI, over connections of its own."""
