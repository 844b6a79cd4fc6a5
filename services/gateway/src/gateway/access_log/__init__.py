"""One access log of all services: what was done that concerns a person, for that person to see."""
