"""The file itself: a ZIP with a JSON file for each service, a manifest with their hashes, and a word of explanation."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

SCHEMA: Final = "xiangqiao-export"
SCHEMA_VERSION: Final = 1
README: Final = """\
乡桥：您的个人数据
==================

本压缩包包含乡桥各项服务在导出时所保存的与您有关的全部数据，每项服务一个 JSON 文件（UTF-8）：
- identity.json    账号、登录方式、会话、职务、同意记录、协助记录、访问记录
- members.json     党员档案的各个版本及查阅记录
- activities.json  报名与出席
- learning.json    学习进度与求助
- feedback.json    您反映的问题及答复
- gateway.json     首页待办、访问记录
manifest.json 列出各文件的 SHA-256 校验值和格式版本。文件中不含他人的数据。请妥善保管。

Xiangqiao: your data
====================

This archive holds everything that the services of Xiangqiao kept about you when it was made, one JSON file (UTF-8)
for each service:
- identity.json    account, ways to sign in, sessions, roles, consents, assisted sessions, access log
- members.json     the versions of your member file, and when it was opened
- activities.json  registrations and attendance
- learning.json    study and requests for help
- feedback.json    what you reported, and the answers
- gateway.json     what stood on your home, access log
manifest.json names the SHA-256 of each file and the version of the format. There is nobody else's data in here.
Keep it in a safe place.
"""


def archive(
    parts: Mapping[str, bytes], *, export_id: UUID, person_id: UUID, asked_at: datetime, composed_at: datetime
) -> bytes:
    """Put the parts, JSON by service, into one ZIP."""
    manifest = {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "export_id": export_id,
        "person_id": person_id,
        "asked_at": asked_at,
        "composed_at": composed_at,
        "files": [
            {
                "name": f"{service}.json",
                "service": service,
                "schema_version": orjson.loads(part)["schema_version"],
                "bytes": len(part),
                "sha256": hashlib.sha256(part).hexdigest(),
            }
            for service, part in sorted(parts.items())
        ],
    }
    written = io.BytesIO()
    moment = asked_at.timetuple()[:6]
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        contents = {"README.txt": README.encode(), "manifest.json": orjson.dumps(manifest, option=orjson.OPT_INDENT_2)}
        contents |= {f"{service}.json": part for service, part in sorted(parts.items())}
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            opened.writestr(entry, content)
    return written.getvalue()
