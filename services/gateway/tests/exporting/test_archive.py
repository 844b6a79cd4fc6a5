"""The file that a person takes away: what is in it, and that its manifest is true."""

import hashlib
import io
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import orjson

from gateway.exporting.archive import archive


def test_the_archive_names_every_file_with_its_hash() -> None:
    parts = {
        service: orjson.dumps({"service": service, "schema_version": 1, "data": {"text": "村口的路"}})
        for service in ("members", "gateway")
    }
    moment = datetime(2026, 11, 23, 8, tzinfo=UTC)
    made = archive(parts, export_id=UUID(int=1), person_id=UUID(int=2), asked_at=moment, composed_at=moment)
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["README.txt", "manifest.json", "gateway.json", "members.json"]
        manifest = orjson.loads(opened.read("manifest.json"))
        for file in manifest["files"]:
            content = opened.read(file["name"])
            assert (file["sha256"], file["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        readme = opened.read("README.txt").decode()
    assert (manifest["schema"], manifest["version"], manifest["person_id"]) == ("xiangqiao-export", 1, str(UUID(int=2)))
    assert "您的个人数据" in readme
    assert "your data" in readme
