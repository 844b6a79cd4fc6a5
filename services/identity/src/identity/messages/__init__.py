"""Messages to people's phones: queued with what they tell about, delivered by the worker through a channel."""
