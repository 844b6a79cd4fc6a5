"""What tests with programs of others share: identity behind the gateway, and programs of the npm registry."""
