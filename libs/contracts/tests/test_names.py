"""An event's class ends in what its type says happened, so that whoever knows the one finds the other."""

from contracts import EVENT_TYPES

NAMED_BEFORE = {
    "xiangqiao.activities.participation.attended.v1": "AttendanceRecordedV1",
    "xiangqiao.identity.erasure.decided.v1": "PersonErasedV1",
}
"""Published before that was the rule: types on the wire stay, and so do the classes' names in the AsyncAPI document."""


def ending_of(event_type: str) -> str:
    """Give how the class of a type ends: `role_assignment.granted.v1` is a `…GrantedV1`."""
    *_, happened, version = event_type.split(".")
    return "".join(word.capitalize() for word in (*happened.split("_"), version))


def test_an_events_class_ends_in_what_its_type_says_happened() -> None:
    named = {event_type: event.__name__ for event_type, event in EVENT_TYPES.items()}
    assert named.items() >= NAMED_BEFORE.items()
    assert {
        event_type: name for event_type, name in named.items()
        if not name.endswith(ending_of(event_type)) and event_type not in NAMED_BEFORE
    } == {}  # fmt: skip
    assert not any(name.endswith(ending_of(event_type)) for event_type, name in NAMED_BEFORE.items())
