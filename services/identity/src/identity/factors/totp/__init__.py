"""One-time passwords of an authenticator app (RFC 6238), and the recovery codes for the day it is lost."""
