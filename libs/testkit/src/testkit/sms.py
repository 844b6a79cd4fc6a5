"""A gateway of short messages as a server of its own, for tests that read what phones got, or let it fail."""

import time
from collections.abc import Iterable

from standalone.demo_phone import APPLICATION, KEY_ID, SIGNATURE, MessageServer, Sent
from standalone.loopback import Answer, Asked

__all__ = ["APPLICATION", "KEY", "KEY_ID", "SIGNATURE", "Sent", "SmsGateway"]

KEY = "the key of a fake gateway"


class SmsGateway(MessageServer):
    """The running gateway, at `url`; `failing` is a code it answers, `hanging` makes it not answer at all."""

    def __init__(self) -> None:
        super().__init__(KEY)
        self.hanging = False
        self.requests = 0

    def settings_for_texts(self, texts: Iterable[str]) -> dict[str, str]:
        """Give the settings by which a service sends these texts here."""
        return self.settings(self.url, texts)

    def respond(self, asked: Asked) -> Answer:
        """Answer a request, after its time if it hangs."""
        with self.turn:
            self.requests += 1
        if self.hanging:
            time.sleep(3600)
        return self.taken(asked)
