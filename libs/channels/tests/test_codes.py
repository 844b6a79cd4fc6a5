"""The code that two services make of a message's id: the same under one ring, another under another."""

from collections import Counter
from uuid import uuid4

from channels import CODE_DIGITS, code_of
from database import KeyRing


def test_both_who_hold_the_key_make_the_same_code_and_nobody_else_does() -> None:
    shared, message_id = KeyRing.generate(), uuid4()
    ring, another = KeyRing.parse(shared), KeyRing.parse(KeyRing.generate())
    code = code_of(ring, message_id)
    assert code == code_of(KeyRing.parse(shared), message_id)
    assert len(code) == CODE_DIGITS
    assert code.isdecimal()
    made = [uuid4() for _ in range(200)]
    assert sum(code_of(ring, each) == code_of(another, each) for each in made) <= 2
    assert Counter(code_of(ring, each)[0] for each in made).keys() == set("0123456789")
