"""How much each client may ask of the system, enforced at the door."""
