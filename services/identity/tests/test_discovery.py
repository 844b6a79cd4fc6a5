"""The discovery documents say what is there, and nothing that is not."""

from identity.clients.rules import SCOPES

from .provider import Provider


async def test_every_endpoint_that_is_named_answers(provider: Provider) -> None:
    document = (await provider.http.get("/.well-known/openid-configuration")).json()
    assert document == (await provider.http.get("/.well-known/oauth-authorization-server")).json()
    endpoints = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert endpoints.keys() == {
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "device_authorization_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
    }
    for url in endpoints.values():
        assert url.startswith(f"{provider.issuer}/oauth2/")
        answers = [await provider.http.get(url), await provider.http.post(url)]
        assert {answer.status_code for answer in answers} != {404, 405}, url
        assert all(answer.status_code < 500 for answer in answers), url


async def test_grants_methods_and_levels_are_those_there_are(provider: Provider) -> None:
    document = (await provider.http.get("/.well-known/openid-configuration")).json()
    named = document["grant_types_supported"]
    assert {"authorization_code", "refresh_token", "client_credentials"} < set(named)
    for grant_type in [*named, "password", "implicit"]:
        data = {"grant_type": grant_type, "client_id": "docs"}
        error = (await provider.http.post("/oauth2/token", data=data)).json()["error"]
        assert (error == "unsupported_grant_type") == (grant_type not in named), grant_type
    methods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
    assert document["token_endpoint_auth_methods_supported"] == methods
    assert document["revocation_endpoint_auth_methods_supported"] == methods
    assert document["introspection_endpoint_auth_methods_supported"] == methods[1:]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "RS256", "PS256"]
    assert document["acr_values_supported"] == ["1", "2", "3"]
    assert document["scopes_supported"] == list(SCOPES)
    assert document["code_challenge_methods_supported"] == ["S256"]
