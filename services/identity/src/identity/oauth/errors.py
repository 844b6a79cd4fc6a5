"""What the errors of OAuth mean: said in an answer as far as RFC 6749 lets it, and on the pages behind the codes."""

from typing import Any, Final

from webapi import Problem

_ERRORS: Final = (
    Problem(400, "invalid_request", "A parameter is missing, wrong or there twice.", "缺少参数，或参数有误、重复。"),
    Problem(
        401,
        "invalid_client",
        "The client is unknown, not approved yet or suspended, or did not prove itself as it is registered.",
        "客户端不存在、尚未批准或已暂停，或未按登记的方式证明身份。",
    ),
    Problem(
        400,
        "invalid_grant",
        "The code or refresh token is unknown, used, ended or too old, or was given to another client.",
        "授权码或刷新令牌不存在、已使用、已失效或已过期，或属于其他客户端。",
    ),
    Problem(400, "unauthorized_client", "The client is not registered for this grant.", "客户端未登记此授权方式。"),
    Problem(
        400,
        "unsupported_grant_type",
        "Those that there are stand in /.well-known/openid-configuration.",
        "支持的授权方式见 /.well-known/openid-configuration。",
    ),
    Problem(400, "invalid_scope", "None of these scopes is registered.", "所请求的权限范围均未登记。"),
    Problem(400, "invalid_target", "The resource is unknown or was not granted.", "资源不存在或未获授权。"),
    Problem(400, "invalid_dpop_proof", "The proof of the key does not hold (RFC 9449).", "密钥证明无效（RFC 9449）。"),
    Problem(400, "authorization_pending", "The person has not decided yet: ask again.", "用户尚未确认，请稍后再问。"),
    Problem(400, "slow_down", "Ask five seconds later each time.", "请每次多等五秒再询问。"),
    Problem(400, "access_denied", "The person did not agree.", "用户没有同意。"),
    Problem(400, "expired_token", "The device code is too old: begin anew.", "设备码已过期，请重新开始。"),
)
_BY_CODE: Final = {error.code: error for error in _ERRORS}


def explained(body: dict[str, Any], issuer: str) -> dict[str, Any]:
    """Add to an error what is said of it in general, in ASCII, and where it stands in both languages."""
    known = _BY_CODE.get(str(body.get("error")))
    if known is None:
        return body
    return {"error_description": known.title_en, **body, "error_uri": f"{issuer}/problems/{known.code}"}
