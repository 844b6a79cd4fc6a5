"""For tests alone: real servers shared by all workers, a fresh database per test, tokens, a breakable network."""
