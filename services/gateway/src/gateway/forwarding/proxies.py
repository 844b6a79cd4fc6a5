"""Proxies in front of the gateway: whom to believe about where a request comes from."""

from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def behind_proxies(application: Any, networks: str) -> Any:
    """Let `application` see the client's address instead of a proxy's, when the proxy is in one of `networks`.

    `networks` are separated by commas, e.g. `10.0.0.0/8,::1/128`; with none, nobody's X-Forwarded-For is believed.
    """
    return ProxyHeadersMiddleware(application, networks) if networks else application
