"""What people did without a network, sent later: each act takes effect once, and has one result."""
