"""A socket for a server in the test's own process."""

import socket


def listener() -> socket.socket:
    """Listen on a free port of the loopback address; the caller closes it.

    It says that it is TCP, since asyncio turns off Nagle's algorithm only then: else each answer would take 40 ms.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    made.listen(128)
    return made
