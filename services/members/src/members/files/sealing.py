"""Seals the personal fields of a member file, each bound to its column, person and version."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from database import KeyRing, SealBroken, associated, seal, unseal
from members.files.rules.personal_fields import PersonalFields

FIELDS = ("name", "id_number", "phone")


class SealedFields(NamedTuple):
    """The same fields as they are stored."""

    name: bytes
    id_number: bytes
    phone: bytes | None


class NewFileKey(NamedTuple):
    """A member's fresh data key, and the form in which it is stored."""

    data_key: bytes
    wrapped: bytes


def new_file_key(ring: KeyRing, person_id: UUID) -> NewFileKey:
    """Make the data key of a member's file."""
    data_key = ring.new_data_key()
    return NewFileKey(data_key, ring.wrap(data_key, binding=_binding_of_key(person_id)))


def seal_fields(data_key: bytes, fields: PersonalFields, *, person_id: UUID, version: int) -> SealedFields:
    """Seal the fields as those of one version of one person's file."""
    return SealedFields(
        seal(data_key, fields.name.encode(), binding=_binding("name", person_id, version)),
        seal(data_key, fields.id_number.encode(), binding=_binding("id_number", person_id, version)),
        None
        if fields.phone is None
        else seal(data_key, fields.phone.encode(), binding=_binding("phone", person_id, version)),
    )


class SealedFile:
    """One version of a file as it is stored; opens field by field."""

    def __init__(
        self, ring: KeyRing, *, person_id: UUID, version: int, wrapped: bytes | None, fields: Mapping[str, bytes | None]
    ) -> None:
        if wrapped is None:
            raise SealBroken("the key of this file was destroyed")
        self._data_key = ring.unwrap(wrapped, binding=_binding_of_key(person_id))
        self._person_id = person_id
        self._version = version
        self._fields = fields

    @property
    def data_key(self) -> bytes:
        """The member's data key, to seal a further version with."""
        return self._data_key

    def open(self, field: str) -> str | None:
        """Give a field in clear; raises `SealBroken` when it was altered or stood elsewhere before."""
        sealed = self._fields[field]
        if sealed is None:
            return None
        return unseal(self._data_key, sealed, binding=_binding(field, self._person_id, self._version)).decode()

    def open_all(self) -> PersonalFields:
        """Give every field in clear."""
        name, id_number, phone = (self.open(field) for field in FIELDS)
        return PersonalFields(name or "", id_number or "", phone)


def sealed_file(ring: KeyRing, record: Mapping[str, Any]) -> SealedFile:
    """Give the sealed part of a row that holds a version of a file and its key."""
    return SealedFile(
        ring,
        person_id=record["person_id"],
        version=record["version"],
        wrapped=record["wrapped"],
        fields={field: record[field] for field in FIELDS},
    )


def _binding(field: str, person_id: UUID, version: int) -> bytes:
    return associated("member_version", field, f"{person_id}|{version}")


def _binding_of_key(person_id: UUID) -> bytes:
    return associated("member_key", "wrapped", person_id)
