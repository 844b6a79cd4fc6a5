"""Seals what people say: under a data key of the case, each text bound to its entry."""

from uuid import UUID

from database import KeyRing, associated, seal, unseal


def new_key(ring: KeyRing, case_id: UUID) -> tuple[bytes, bytes]:
    """Make a case's data key: plain, for now, and wrapped, to be kept."""
    data_key = ring.new_data_key()
    return data_key, ring.wrap(data_key, binding=associated("feedback_case", "data_key", case_id))


def open_key(ring: KeyRing, case_id: UUID, wrapped: bytes) -> bytes:
    """Give the data key that was wrapped for a case; raises `SealBroken`."""
    return ring.unwrap(wrapped, binding=associated("feedback_case", "data_key", case_id))


def seal_text(data_key: bytes, case_id: UUID, version: int, text: str) -> bytes:
    """Seal the text of a case's entry number `version`."""
    return seal(data_key, text.encode(), binding=_binding(case_id, version))


def unseal_text(data_key: bytes, case_id: UUID, version: int, sealed: bytes) -> str:
    """Give the text of a case's entry; raises `SealBroken`."""
    return unseal(data_key, sealed, binding=_binding(case_id, version)).decode()


def _binding(case_id: UUID, version: int) -> bytes:
    return associated("case_entry", "text", f"{case_id}/{version}")
