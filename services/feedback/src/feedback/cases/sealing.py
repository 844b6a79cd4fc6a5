"""Seals what people say: under a data key of the case, each text bound to its entry."""

from uuid import UUID

from database import KeyRing, associated, seal, unseal
from feedback.cases.tables import Case, CaseEntry


def new_key(ring: KeyRing, case_id: UUID) -> bytes:
    """Make a case's data key, wrapped to be kept."""
    return ring.wrap(ring.new_data_key(), binding=_binding_of_key(case_id))


def seal_text(ring: KeyRing, case: Case, text: str) -> bytes:
    """Seal the text of the entry that a case's present version begins; raises `SealBroken` where its key is gone."""
    return seal(_key_of(ring, case), text.encode(), binding=_binding(case.case_id, case.version))


def text_of(ring: KeyRing, case: Case, entry: CaseEntry) -> str | None:
    """Give the text of a case's entry, nothing when it has none or the case's key is destroyed; raises `SealBroken`."""
    if entry.text is None or case.data_key is None:
        return None
    return unseal(_key_of(ring, case), entry.text, binding=_binding(case.case_id, entry.version)).decode()


def _key_of(ring: KeyRing, case: Case) -> bytes:
    return ring.unwrap(case.data_key or b"", binding=_binding_of_key(case.case_id))


def _binding_of_key(case_id: UUID) -> bytes:
    return associated("feedback_case", "data_key", case_id)


def _binding(case_id: UUID, version: int) -> bytes:
    return associated("case_entry", "text", f"{case_id}/{version}")
