"""What goes wrong between the gateway, a service and a client, without a word of HTTP."""


class ForwardingFailure(Exception):
    """An exchange that did not come to its end."""

    reason = "failed"


class ServiceUnreachable(ForwardingFailure):
    """No connection to the service could be opened; nothing was sent to it."""

    reason = "unreachable"


class ShuttingDown(ServiceUnreachable):
    """The gateway itself ends; whatever was sent, nothing is tried again."""


class LeftOut(ServiceUnreachable):
    """Every address of the service failed lately, and none is asked before it has been heard of again.

    `seconds` are how long that takes at least.
    """

    reason = "left_out"

    def __init__(self, seconds: float) -> None:
        super().__init__(self.reason)
        self.seconds = seconds


class ServiceBusy(ForwardingFailure):
    """All connections to the service are in use and the queue for them is full or too slow; nothing was sent."""

    reason = "busy"


class ServiceSlow(ForwardingFailure):
    """The service accepted the request and did not answer in time."""

    reason = "slow"


class AnswerBroken(ForwardingFailure):
    """The service's answer is not valid HTTP/1.1, or its connection ended inside it."""

    reason = "broken"


class AnswerTooLarge(AnswerBroken):
    """The service's answer is larger than the gateway reads into its memory."""

    reason = "too_large"


class ConnectionLost(AnswerBroken):
    """The connection ended before a byte of the answer came; what was asked may have been done."""

    reason = "lost"


class ConnectionStale(ConnectionLost):
    """It was a kept one, which a service may close at any time; the request may be unread."""

    reason = "stale"


class ClientGone(ForwardingFailure):
    """The client closed its connection before the exchange was over."""

    reason = "client_gone"


class ClientSlow(ForwardingFailure):
    """The client sent its body, or took the answer, below the least rate."""

    reason = "client_slow"


class Crowded(ForwardingFailure):
    """What waits for slow clients fills the room that there is for whoever asks; the argument names the share."""

    reason = "crowded"


class BodyTooLarge(ForwardingFailure):
    """The client's body is larger than the route allows."""

    reason = "body_too_large"


class BodyNotGzip(ForwardingFailure):
    """The client's body is not the gzip that its head announced, or ends inside it."""

    reason = "body_not_gzip"


class BodyTooDense(ForwardingFailure):
    """The client's body becomes so much larger out of its gzip that nobody wrote it."""

    reason = "body_too_dense"


class BodyMisframed(ForwardingFailure):
    """The client's body is not as long as its head announced."""

    reason = "body_misframed"
