"""Meetings and activities: set down for a time, seen by those they concern, closed when over."""
