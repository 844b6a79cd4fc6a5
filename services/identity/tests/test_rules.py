"""The rules alone: addresses, scopes, names, days, discovery."""

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from identity.clients.rules import allowed_scope, origins_of, redirect_uri_allowed
from identity.credentials.rules import normalised_username
from identity.oauth.discovery import discovery_document
from identity.pages.visits import cookie_name

from .provider import Provider

LOOPBACK = ["http://127.0.0.1/callback", "http://[::1]/callback"]


def test_origins_are_those_of_the_addresses_as_browsers_write_them() -> None:
    addresses = [
        "https://a.example/one",
        "https://a.example:443/two",
        "https://b.example:8443/",
        "https://a.example/x?y",
    ]
    assert origins_of(addresses) == ("https://a.example", "https://b.example:8443")
    assert origins_of([]) == ()


@pytest.mark.parametrize(
    ("requested", "allowed"),
    [
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:1/callback", True),
        ("http://127.0.0.1:65535/callback", True),
        ("http://[::1]:8080/callback", True),
        ("http://127.0.0.1:65536/callback", False),
        ("http://127.0.0.1:080/callback", False),
        ("http://127.0.0.1:0/callback", False),
        ("http://127.0.0.1:/callback", False),
        ("http://127.0.0.1:８０/callback", False),
        ("http://127.0.0.1:80@evil.example/callback", False),
        ("http://127.0.0.1:80/callback/", False),
        ("http://127.0.0.1:80/callback\n", False),
        ("http://127.0.0.1.evil.example/callback", False),
        ("http://127.1:80/callback", False),
        ("http://localhost:80/callback", False),
        ("https://127.0.0.1:80/callback", False),
        ("HTTP://127.0.0.1:80/callback", False),
    ],
)
def test_only_the_port_of_a_loopback_address_is_free(requested: str, allowed: bool) -> None:
    assert redirect_uri_allowed(requested, LOOPBACK, native=True) is allowed
    assert redirect_uri_allowed(requested, LOOPBACK, native=False) is (requested in LOOPBACK)
    assert not redirect_uri_allowed(requested, ["http://127.0.0.1:4000/callback"], native=True)


@pytest.mark.parametrize(
    ("requested", "kept"),
    [
        (None, "openid profile"),
        ("", "openid profile"),
        ("profile  openid", "openid profile"),
        ("openid everything", "openid"),
        ("everything", None),
    ],
)
def test_scopes_are_those_asked_for_and_registered(requested: str | None, kept: str | None) -> None:
    assert allowed_scope(requested, ["openid", "profile"]) == kept


@pytest.mark.parametrize(
    ("typed", "username"),
    [
        ("Officer.Demo", "officer.demo"),
        ("ｏｆｆｉｃｅｒ", "officer"),
        (" 李四 ", None),
        ("李四光", "李四光"),
        ("-abc", None),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
        ("a b c", None),
        ("abc\0def", None),
        ("abc\n", "abc"),
    ],
)
def test_a_username_has_one_spelling(typed: str, username: str | None) -> None:
    assert normalised_username(typed) == username


def test_cookies_bind_themselves_to_the_host_under_https() -> None:
    assert cookie_name("session", secure=True) == "__Host-session"


def test_the_discovery_document_is_valid_for_both_of_its_readers() -> None:
    document = discovery_document("https://village.example", ["authorization_code"])
    AuthorizationServerMetadata(document).validate()
    # OpenID Connect demands RS256 of every provider, OAuth 2.1 of none; ES256 is what all our tokens are signed with.
    openid = {**document, "id_token_signing_alg_values_supported": ["RS256", "ES256"]}
    OpenIDProviderMetadata(openid).validate()
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True


async def test_discovery_stands_at_both_addresses_and_leads_to_the_endpoints(provider: Provider) -> None:
    paths = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    first, second = [(await provider.http.get(path)).json() for path in paths]
    assert first == second
    assert first["issuer"] == provider.issuer
    keys = (await provider.http.get(first["jwks_uri"])).json()["keys"]
    assert [key["alg"] for key in keys] == ["ES256"]
    assert not [key for key in keys if "d" in key]
