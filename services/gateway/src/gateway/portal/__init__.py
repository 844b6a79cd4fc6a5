"""The reference web front end, as its build left it."""
