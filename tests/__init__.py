"""Tests across services, and measurements."""
