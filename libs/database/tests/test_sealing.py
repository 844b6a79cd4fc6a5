"""Sealed values open for their key at their place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database import KeyRing, SealBroken, associated, seal, unseal

BINDING = associated("member", "phone", 1)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens(plain: bytes) -> None:
    key = KeyRing.parse(KeyRing.generate()).new_data_key()
    sealed = seal(key, plain, binding=BINDING)
    assert unseal(key, sealed, binding=BINDING) == plain
    assert len(plain) < 4 or plain not in sealed


def test_a_value_moved_to_another_row_or_altered_does_not_open() -> None:
    """Check 24: a sealed value."""
    key = KeyRing.parse(KeyRing.generate()).new_data_key()
    sealed = seal(key, b"13800000000", binding=BINDING)
    with pytest.raises(SealBroken):
        unseal(key, sealed, binding=associated("member", "phone", 2))
    with pytest.raises(SealBroken):
        unseal(key, sealed[:-1] + bytes([sealed[-1] ^ 1]), binding=BINDING)
    with pytest.raises(SealBroken):
        unseal(key, b"", binding=BINDING)


def test_after_a_rotation_old_values_open_and_are_found() -> None:
    first = KeyRing.generate()
    second = KeyRing.generate().replace("1:", "2:")
    before, after = KeyRing.parse(first), KeyRing.parse(f"{first},{second}")
    wrapped = before.wrap(b"data key", binding=BINDING)
    assert after.unwrap(wrapped, binding=BINDING) == b"data key"
    assert after.current == 2
    assert after.blind_index("phone", "138") == before.blind_index("phone", "138")
    with pytest.raises(SealBroken, match="not in the ring"):
        before.unwrap(after.wrap(b"data key", binding=BINDING), binding=BINDING)


def test_a_value_is_found_however_it_is_spelled_but_not_in_another_column() -> None:
    ring = KeyRing.parse(KeyRing.generate())
    assert ring.blind_index("id_number", "34052419800101001x") == ring.blind_index("id_number", "340524 19800101 001X")
    assert ring.blind_index("id_number", "1") != ring.blind_index("phone", "1")
    assert len(ring.blind_index("phone", "1")) == 16


@pytest.mark.parametrize("setting", ["", "1", "x:AAAA", "1:AAAA", "0:" + "A" * 43 + "=", "1:%%%"])
def test_a_bad_ring_is_refused_without_showing_a_key(setting: str) -> None:
    with pytest.raises(ValueError, match=r"key|entry") as refused:
        KeyRing.parse(setting)
    assert "AAAA" not in str(refused.value)
