"""OAuth 2.1 and OpenID Connect: clients, codes, tokens and the keys that sign them."""
