"""Journeys across services, on the whole system, through the gateway alone."""
