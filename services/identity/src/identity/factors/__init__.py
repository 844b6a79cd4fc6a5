"""Ways to prove more strongly who one is: passkeys, one-time passwords, linked accounts, and when they are demanded."""
