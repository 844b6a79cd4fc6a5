"""Messages to the phone on a member file that identity asks for: it learns whether there is one, never the number."""
