"""Seals the personal fields of a member file, each bound to its column, person and version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from database import KeyRing, SealBroken, associated, seal, unseal
from members.files.rules.personal_fields import PersonalFields

FIELDS = ("name", "id_number", "phone")


def new_file_key(ring: KeyRing, person_id: UUID) -> tuple[bytes, bytes]:
    """Make the data key of a member's file, and wrap it for storage."""
    data_key = ring.new_data_key()
    return data_key, ring.wrap(data_key, binding=_binding_of_key(person_id))


def seal_fields(data_key: bytes, fields: PersonalFields, *, person_id: UUID, version: int) -> list[bytes | None]:
    """Seal the fields, in their order, as those of one version of one person's file."""
    return [
        None if plain is None else seal(data_key, plain.encode(), binding=_binding(field, person_id, version))
        for field, plain in fields._asdict().items()
    ]


class SealedFile:
    """One version of a file, from a row that holds it and its key; opens field by field.

    `data_key` is the member's, to seal a further version with. Raises `SealBroken` where it was destroyed.
    """

    def __init__(self, ring: KeyRing, row: Mapping[str, Any]) -> None:
        if row["wrapped"] is None:
            raise SealBroken("the key of this file was destroyed")
        self.data_key = ring.unwrap(row["wrapped"], binding=_binding_of_key(row["person_id"]))
        self._row = row

    def open(self, field: str) -> str | None:
        """Give a field in clear; raises `SealBroken` when it was altered or stood elsewhere before."""
        sealed = self._row[field]
        if sealed is None:
            return None
        binding = _binding(field, self._row["person_id"], self._row["version"])
        return unseal(self.data_key, sealed, binding=binding).decode()

    def open_all(self) -> PersonalFields:
        """Give every field in clear."""
        name, id_number, phone = (self.open(field) for field in FIELDS)
        return PersonalFields(name or "", id_number or "", phone)


def _binding(field: str, person_id: UUID, version: int) -> bytes:
    return associated("member_version", field, f"{person_id}|{version}")


def _binding_of_key(person_id: UUID) -> bytes:
    return associated("member_key", "wrapped", person_id)
