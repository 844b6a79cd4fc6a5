"""What every page of identity shares: how it is rendered, and how the request for it is read."""
