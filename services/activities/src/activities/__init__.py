"""Organisational life: meetings, registration, attendance."""
