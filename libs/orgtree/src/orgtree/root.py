"""The root of the tree, which exists before any event says so."""

from uuid import UUID

ROOT_ID = UUID("00000000-0000-7000-8000-000000000001")
ROOT_KIND = "committee"
ROOT_LEVEL = "province"
ROOT_NAME = "中共省委员会"
