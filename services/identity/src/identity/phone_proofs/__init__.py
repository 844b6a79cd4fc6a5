"""Proving who one is by a code to the phone on one's member file, whose number identity never learns."""
