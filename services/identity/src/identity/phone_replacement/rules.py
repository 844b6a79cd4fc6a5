"""How long the steps of a replacement take and last, and what may be wrong with one.

It is for a person who stands before the officer: there is no code to a phone that is gone. Hence two officers, for
villagers too, and the same day to object as a recovery has. What they agree to is the number and nothing more:
passwords and second factors stay, so that whoever gets a wrong number past two officers still meets them; who has lost
those as well asks for a recovery afterwards, by a code to the new number. For somebody without a role that code is
enough at once: two officers have just seen the person, and the owner had the day in which to object; asking the same
two again would prove nothing more. Whoever holds a role is recovered by two officers and a day of its own, as ever.

Whoever holds the old phone can object, and a thief is whoever holds it: a stolen SIM is blocked at the operator first,
who also gives a new one with the same number, which makes a replacement needless. An objection is never weighed against
the officers' word, for they cannot tell the thief's from the owner's.

An agreement is about the person as they are when it is given: who belongs elsewhere by the end of the day, or was given
a role in it, keeps the old number, and those who decide over them now begin anew.
"""

from datetime import timedelta
from typing import Final

from identity.recovery.rules import DELAY, REQUEST_LIFETIME

PURPOSE: Final = "phone_replacement"
"""Of the code that proves the new number."""
CONFIRM_WITHIN: Final = timedelta(minutes=5)
"""The person is there: the code is read out at once, or another is asked for."""
APPROVE_WITHIN: Final = REQUEST_LIFETIME
OBJECT_WITHIN: Final = DELAY
"""Between the approval and the new number: time for the owner to see the notice on the old one and to object."""
APPLY_WITHIN: Final = REQUEST_LIFETIME
"""How long an approved one waits for a worker that does not run."""


class OwnReplacement(Exception):
    """Nobody proposes or approves a number for their own account."""


class ReplacementUnknown(Exception):
    """There is no such replacement, or not within the officer's remit."""


class ReplacementUnderWay(Exception):
    """Another number was proposed and confirmed for this account, and waits."""


class ReplacementOver(Exception):
    """The replacement is not at the step that was to be taken, or its time is over."""
