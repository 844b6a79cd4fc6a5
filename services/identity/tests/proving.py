"""Proofs of a key (DPoP, RFC 9449), right in everything or changed in one thing, and a front end that brings them."""

import base64
import hmac
import json
import secrets
import time
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from .front_end import FrontEnd, Tokens

Key = ECKey | RSAKey | OctKey


def new_key() -> ECKey:
    return ECKey.generate_key("P-256")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def without_none(changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changed.items() if value is not None}


class Prover:
    """Somebody who has a key and makes proofs of it for one provider's token endpoint."""

    def __init__(self, issuer: str, key: ECKey | None = None) -> None:
        self.address = f"{issuer}/oauth2/token"
        self.key = key or new_key()

    def header(self, **changed: Any) -> dict[str, Any]:
        """A good header; None leaves a part out."""
        public = self.key.as_dict(private=False)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        return without_none({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk, **changed})

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Good claims; None leaves one out."""
        now = int(time.time())
        good = {"htm": "POST", "htu": self.address, "iat": now, "jti": secrets.token_urlsafe(16)}
        return without_none({**good, **changed})

    def proof(self, header: dict[str, Any] | None = None, *, by: Key | None = None, **claims: Any) -> str:
        """A proof, whose header and claims may be changed, signed by another key than the one in it if told so."""
        return self.signed(json.dumps(self.claims(**claims)), self.header(**(header or {})), by=by)

    def signed(self, payload: str, header: dict[str, Any], *, by: Key | None = None) -> str:
        """Sign whatever it is in the form of a proof; joserfc's own would refuse to make most of what is wrong."""
        signed = f"{encoded(json.dumps(header).encode())}.{encoded(payload.encode())}"
        made_by = jws.JWSRegistry.algorithms[header.get("alg", "ES256")]
        return f"{signed}.{encoded(made_by.sign(signed.encode(), by or self.key))}"

    def confused(self) -> str:
        """A proof made by HMAC with the public key, which is no secret."""
        header = encoded(json.dumps(self.header(alg="HS256")).encode())
        signed = f"{header}.{encoded(json.dumps(self.claims()).encode())}"
        return f"{signed}.{encoded(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"

    def unsigned(self) -> str:
        """A proof that says it needs no signature."""
        header = encoded(json.dumps(self.header(alg="none")).encode())
        return f"{header}.{encoded(json.dumps(self.claims()).encode())}."


class BoundFrontEnd:
    """A front end that brings a proof with each token request."""

    def __init__(self, front_end: FrontEnd, prover: Prover) -> None:
        self.front_end = front_end
        self.prover = prover

    async def ask(self, proofs: list[str] | None = None, **fields: str) -> httpx.Response:
        """Send a form to the token endpoint with a proof of the key, or with these."""
        headers = [
            (b"DPoP", proof.encode("latin-1")) for proof in ([self.prover.proof()] if proofs is None else proofs)
        ]
        data = {"client_id": self.front_end.client_id, **fields}
        return await self.front_end.http.post("/oauth2/token", data=data, headers=headers)

    async def redeem(self, code: str, proofs: list[str] | None = None) -> httpx.Response:
        return await self.ask(
            proofs,
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.front_end.redirect_uri,
            code_verifier=self.front_end.verifier,
        )

    async def refresh(self, token: str, proofs: list[str] | None = None) -> httpx.Response:
        return await self.ask(proofs, grant_type="refresh_token", refresh_token=token)

    async def tokens(self, username: str) -> Tokens:
        """Sign in and redeem the code with a proof."""
        answer = await self.redeem((await self.front_end.sign_in(username)).parameters["code"])
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["token_type"] == "Bearer"
        return Tokens(body["access_token"], body["refresh_token"], body.get("id_token"))
