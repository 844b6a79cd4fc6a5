"""A small service that exists to be started by the tests of processes."""
