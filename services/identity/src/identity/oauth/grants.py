"""The grants, with the unsafe defaults of authlib overridden: PKCE by S256 for all, single use, rotation, replay."""

from collections.abc import Collection
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from sqlalchemy import select

from china_time import day_of
from database import new_id
from identity.accounts.tables import Account, Identifier
from identity.clients.rules import still_registered
from identity.clients.tables import Client
from identity.levels import SignedIn
from identity.oauth import rules
from identity.oauth.client_authentication import METHODS
from identity.oauth.consents import scopes_let
from identity.oauth.proofs import use_proof
from identity.oauth.provider import Provider, Subject
from identity.oauth.requests import ProviderRequest
from identity.oauth.resources import narrowed_resources, requested_resources
from identity.oauth.tables import AuthorizationCode
from identity.roles.queries import held_on
from identity.secrets import hash_of, successor_of
from identity.sessions.revocation import revoke_families_in_sync
from identity.sessions.tables import BrowserSession, RefreshToken, TokenFamily
from identity.signing.keys import ALGORITHM


def subject_of(provider: Provider, request: ProviderRequest, source: Any) -> Subject:
    """Give the person of a code or a family as they are now, and what the token asked for is for.

    Spends the proof of a key that the request brings. Raises `InvalidGrantError` when the code or family is bound to
    another or the account is not active, `InvalidProofError` and `InvalidTargetError`; all of which leave both as they
    are, so that whoever has a copy alone ends nothing.
    """
    if source.bound_to is not None and (request.proof is None or request.proof.key != source.bound_to):
        raise InvalidGrantError("It is bound to a key that the request does not prove.")
    if request.proof is not None:
        use_proof(provider.session, request.proof, now=provider.now)
    session, account_id = provider.session, source.account_id
    account = session.get(Account, account_id, populate_existing=True)
    if account is None or account.status != "active" or account.proven_at is None:
        raise InvalidGrantError("The account is not active.")
    username = session.scalar(
        select(Identifier.plain).where(Identifier.account_id == account_id, Identifier.kind == "username")
    )
    roles = session.execute(held_on(account_id, day_of(provider.now)))
    return Subject(
        account_id,
        username,
        source.family_id,
        source.acr,
        source.amr,
        source.signed_in_at,
        account.authorization_version,
        [(r.role, r.organisation_id) for r in roles],
        narrowed_resources(request.payload.data.get("resource"), source.resources, provider.parties),
    )


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # authlib has no types
    """Authorization code: a minute of life, one use, and a tombstone that ends the family when it comes again."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    request: ProviderRequest
    server: Provider

    @staticmethod
    def validate_authorization_redirect_uri(request: ProviderRequest, client: Client) -> str:
        """Give the address to answer at; the refusal names no address, which may hold what no error may."""
        redirect_uri = request.payload.redirect_uri
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect_uri is missing or not registered for this client.")
        return str(redirect_uri)

    def save_authorization_code(self, code: str, request: ProviderRequest) -> None:
        """Keep the code's hash with all that its redemption will be held against."""
        person: SignedIn = request.user
        self.server.session.add(
            AuthorizationCode(
                code_hash=hash_of(code),
                client_id=request.client.client_id,
                account_id=person.account_id,
                session_id=person.session_id,
                family_id=new_id(),
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                resources=requested_resources(request.payload.data.get("resource"), self.server.parties),
                nonce=request.payload.data.get("nonce"),
                code_challenge=request.payload.data["code_challenge"],
                bound_to=request.payload.data.get("dpop_jkt"),
                acr=person.acr,
                amr=list(person.amr),
                signed_in_at=person.signed_in_at,
                issued_at=self.server.now,
                expires_at=self.server.now + rules.CODE_LIFETIME,
            )
        )
        self.server.session.flush()

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """Find and lock a code that may still be redeemed; one that was redeemed before ends what it gave."""
        session = self.server.session
        found = session.scalar(
            select(AuthorizationCode)
            .where(AuthorizationCode.code_hash == hash_of(code), AuthorizationCode.client_id == client.client_id)
            .with_for_update()
        )
        if found is not None and found.used_at is not None:
            ended = TokenFamily.family_id == found.family_id
            revoke_families_in_sync(session, ended, reason="code_replayed", now=self.server.now)
            return None
        return found if found is not None and found.expires_at > self.server.now else None

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Subject:
        """Give the person the code was given for.

        Raises `InvalidGrantError` when their account is not active, the sign-in that gave the code has ended, or they
        let the client have that no more. The sign-in is locked meanwhile: whoever ends it at this moment waits, and
        then finds the family of this code.
        """
        session_id, client = authorization_code.session_id, self.request.client
        here = select(BrowserSession.ended_at).where(BrowserSession.session_id == session_id)
        if self.server.session.scalar(here.with_for_update(read=True)) is not None:
            raise InvalidGrantError("The sign-in has ended.")
        if not client.first_party:
            let = self.server.session.scalar(scopes_let(authorization_code.account_id, client.client_id))
            if let is None or not set(authorization_code.scope.split()) <= set(let):
                raise InvalidGrantError("The person does not let the client have this.")
        return subject_of(self.server, self.request, authorization_code)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Leave the code's tombstone."""
        authorization_code.used_at = self.server.now
        self.server.session.flush()


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # authlib has no types
    """Refresh token: each gives one successor, which follows from it by a key of ours and is kept as a hash alone.

    It gives the same one again for `SAME_SUCCESSOR_FOR`, while that was never used. A used one that comes later, or
    after its successor was used, ends the family. One that is bound to a key is its own successor and never used up.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    request: ProviderRequest
    server: Provider

    def authenticate_refresh_token(self, refresh_token: str) -> "LivingToken | None":
        """Find the token and lock its family, so that of many at once one rotates; see the class on replay."""
        session, token_hash, now = self.server.session, hash_of(refresh_token), self.server.now
        of_this_token = select(RefreshToken.family_id).where(RefreshToken.token_hash == token_hash).scalar_subquery()
        family = session.scalar(select(TokenFamily).where(TokenFamily.family_id == of_this_token).with_for_update())
        if family is None or family.revoked_at is not None or family.expires_at <= now:
            return None
        if family.idle_until is not None and family.idle_until <= now:
            this = TokenFamily.family_id == family.family_id
            revoke_families_in_sync(session, this, reason="idle", now=now)
            return None
        token = session.get_one(RefreshToken, token_hash)  # read after the lock, so it shows who came first
        successor = refresh_token if family.bound_to is not None else successor_of(self.server.ring, refresh_token)
        if token.used_at is not None:
            given = session.get(RefreshToken, hash_of(successor))
            if given is None or given.used_at is not None or token.used_at + rules.SAME_SUCCESSOR_FOR <= now:
                this = TokenFamily.family_id == family.family_id
                revoke_families_in_sync(session, this, reason="token_replayed", now=now)
                return None
        return LivingToken(token, family, session.get_one(Client, family.client_id).scopes, successor)

    def authenticate_user(self, refresh_token: "LivingToken") -> Subject:
        """Give the person of the family. Raises `InvalidGrantError` when their account is not active."""
        return subject_of(self.server, self.request, refresh_token.family)

    def issue_token(self, user: Subject, refresh_token: "LivingToken") -> dict[str, Any]:
        """Give the token response with the successor in it."""
        return {**super().issue_token(user, refresh_token), "refresh_token": refresh_token.successor}

    def revoke_old_credential(self, refresh_token: "LivingToken") -> None:
        """Mark the token as used unless it is bound, and its family with it."""
        if refresh_token.rotates:
            refresh_token.token.used_at = refresh_token.token.used_at or self.server.now
        refresh_token.family.idle_until = rules.idle_until(self.request.client.application_type, self.server.now)
        self.server.session.flush()


class LivingToken:
    """A refresh token that may be used, with its family and its one successor, in the form authlib asks for it."""

    def __init__(self, token: RefreshToken, family: TokenFamily, registered: Collection[str], successor: str) -> None:
        self.token = token
        self.family = family
        self.family_id = family.family_id
        self.token_hash = token.token_hash
        self.successor = successor
        self.rotates = family.bound_to is None
        self._registered = registered

    def check_client(self, client: Client) -> bool:
        """Say whether the token was given to this client."""
        return self.family.client_id == client.client_id

    def get_scope(self) -> str:
        """Give those scopes of the family that the client is still registered for, separated by spaces."""
        return still_registered(self.family.scope, self._registered)


class S256Challenge(CodeChallenge):  # type: ignore[misc]  # authlib has no types
    """PKCE (RFC 7636) of every client, by S256 alone; authlib asks public clients only, and takes `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with any method but S256; no method means `plain`."""
        parameters = grant.request.payload.data
        if "code_challenge" not in parameters or parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge with code_challenge_method=S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc]  # authlib has no types
    """The ID token of OpenID Connect, beside the access token when the scope has `openid`."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=False)
        self._provider = provider

    def exists_nonce(self, nonce: str, request: ProviderRequest) -> bool:  # noqa: ARG002 - authlib's signature
        """Say no: a code is redeemed once, so a nonce cannot come back in a second ID token."""
        return False

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """Give the claims that do not depend on the person."""
        issued = int(self._provider.now.timestamp())
        return {
            "iss": self._provider.parties.issuer,
            "aud": [client.client_id],
            "iat": issued,
            "exp": issued + int(rules.ACCESS_TOKEN_LIFETIME.total_seconds()),
        }

    def get_client_algorithm(self, client: Client) -> str:  # noqa: ARG002 - authlib's signature
        """Give the one algorithm there is."""
        return ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:  # noqa: ARG002 - authlib's signature
        """Give the header, with the key's id."""
        return {"alg": ALGORITHM, "kid": self._provider.signer.kid}

    def resolve_client_private_key(self, client: Client) -> Any:  # noqa: ARG002 - authlib's signature
        """Give the key that signs."""
        return self._provider.signer.key

    def generate_user_info(self, user: Subject, scope: str) -> dict[str, Any]:
        """Give the claims about the person that the scope asks for."""
        return {"sid": str(user.family_id), **person_claims(str(user.account_id), user.username, scope.split())}


def person_claims(subject: str, username: str | None, scope: Collection[str]) -> dict[str, Any]:
    """Give what an ID token and the userinfo endpoint say about a person, for these scopes."""
    claims: dict[str, Any] = {"sub": subject}
    if username is not None and "profile" in scope:
        claims["preferred_username"] = username
    return claims
