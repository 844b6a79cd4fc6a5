"""Courses in editions: published by an organisation for all below it, finished in the edition one began."""
