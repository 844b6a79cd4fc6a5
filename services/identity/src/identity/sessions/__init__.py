"""Sessions a person can see and end, and revocations that every service hears of."""
