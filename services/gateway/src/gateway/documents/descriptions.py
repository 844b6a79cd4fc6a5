"""What the merged document says of the system itself, in Chinese and English."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.scopes import API_SCOPES

TITLE: Final = "Xiangqiao API"
"""In ASCII: makers of clients call their packages by it."""
DESCRIPTION: Final = """\
乡桥是农村党建的数字底座。所有功能共用一个地址、一次登录、一种错误格式、一种分页方式和一条幂等规则。

Xiangqiao is the digital backbone of rural party building. One address, one sign-in, one form of errors (RFC 9457), one
pagination and one rule of idempotency hold for everything here.
"""
TAGS: Final[Mapping[str, str]] = {
    "identity": "登录、账号与角色 — sign-in, accounts and roles",
    "members": "组织树与党员档案 — the organisation tree and the people in it",
    "activities": "组织生活与发布 — organisational life and publishing",
    "learning": "学习与需求 — what people can learn, and what they need",
    "feedback": "诉求与办理 — what people say, and what is done about it",
    "gateway": "首页与总览 — home and overview",
}
_VERBS: Final[Mapping[str, tuple[str, str]]] = {"read": ("读取", "read"), "write": ("办理", "write")}


def _scope(scope: str) -> str:
    """Say in both languages what a scope of the API opens: the tag of its service, and the verb."""
    service, _, verb = scope.partition(".")
    chinese, _, english = TAGS[service].partition(" — ")
    return f"{_VERBS[verb][0]}：{chinese} — {_VERBS[verb][1]}: {english}"


SCOPES: Final[Mapping[str, str]] = {
    "openid": "登录 — sign in",
    "profile": "用户名 — user name",
    **{scope: _scope(scope) for scope in API_SCOPES},
}


def frame(public_url: str, version: str) -> dict[str, Any]:
    """Give the merged document without paths and components; `public_url` is where clients reach the gateway."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": DESCRIPTION,
            "contact": {"name": "乡桥 Xiangqiao", "url": f"{public_url}/docs"},
        },
        "servers": [
            {
                "url": public_url,
                "description": f"网关 — the gateway ({'production' if public_url.startswith('https:') else 'local'})",
                "x-internal": False,
            }
        ],
        "tags": [{"name": service, "description": text} for service, text in TAGS.items()],
    }


def security_schemes(public_url: str) -> dict[str, Any]:
    """Give the ways to authenticate: the authorization code with PKCE, or an access token that one already has."""
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "授权码加 PKCE (S256)，令牌按 RFC8725 校验 — "
            "authorization code with PKCE (S256); tokens are checked as RFC8725 says",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{public_url}/oauth2/authorize",
                    "tokenUrl": f"{public_url}/oauth2/token",
                    "refreshUrl": f"{public_url}/oauth2/token",
                    "scopes": dict(SCOPES),
                }
            },
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "at+jwt",
            "description": "已有的访问令牌 — an access token that one has (RFC 9068, RFC8725)",
        },
    }
