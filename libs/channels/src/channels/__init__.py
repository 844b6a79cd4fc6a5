"""Messages to people's phones: a queue in the sender's transaction, and the channels that deliver it."""

from channels.codes import CODE_DIGITS, code_of, index_of
from channels.delivery import Delivery
from channels.outcomes import Channel, Message, NotTaken, Outcome, Refused, Taken
from channels.queue import NOTICE_LIFETIME, QueuedMessage, queue
from channels.settings import ChannelSettings, SharedCodeSettings, channel_of
from channels.texts import Texts

__all__ = [
    "CODE_DIGITS",
    "NOTICE_LIFETIME",
    "Channel",
    "ChannelSettings",
    "Delivery",
    "Message",
    "NotTaken",
    "Outcome",
    "QueuedMessage",
    "Refused",
    "SharedCodeSettings",
    "Taken",
    "Texts",
    "channel_of",
    "code_of",
    "index_of",
    "queue",
]
