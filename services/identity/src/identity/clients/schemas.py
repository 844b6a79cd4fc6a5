"""What routes about clients take and give."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from identity.clients.rules import SCOPES, SETS_OF_GRANTS, is_own_machine
from webapi.addresses import require_public
from webapi.bodies import ONE_LINE, Body, Shown, ShownOnce, Versioned
from webapi.validation import worded

ClientId = Annotated[
    str,
    StringConstraints(
        pattern=worded(
            r"^[a-z][a-z0-9-]{2,63}$",
            en="This must be 3 to 64 lower-case letters, digits and hyphens, the first a letter.",
            zh="应为 3 至 64 个小写字母、数字或连字符，以字母开头。",
        ),
        max_length=64,
    ),
]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=50), ONE_LINE]
_Address = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500),
    AfterValidator(lambda address: address if is_own_machine(address) else require_public(address)),
    Field(json_schema_extra={"format": "uri"}),
]
"""Where browsers are sent: a public server, or with plain http the machine of whoever uses a native application."""
_Addresses = Annotated[list[_Address], Field(max_length=10)]
_Grant = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
_Scope = Annotated[
    str,
    StringConstraints(
        pattern=worded(
            f"^(?:{'|'.join(map(re.escape, SCOPES))})$",
            en=f"This must be one of the scopes: {', '.join(SCOPES)}.",
            zh=f"应为以下权限范围之一：{'、'.join(SCOPES)}。",
        ),
        max_length=64,
    ),
]
_Word = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=128,
        pattern=worded(
            r"^[\x21-\x7e]+$",
            en="This must be visible ASCII characters without blanks.",
            zh="应为可见的 ASCII 字符，不含空格。",
        ),
    ),
]
_Number = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=700,
        pattern=worded(
            r"^[A-Za-z0-9_-]+$", en="This must be base64url without padding.", zh="应为不带填充的 base64url 编码。"
        ),
    ),
]


_SETS = "One of these sets, whole: " + "; ".join(
    f"{kind}: {' or '.join(f'`{each}`' for each in (' '.join(sorted(grants)) for grants in sets))}"
    for kind, sets in SETS_OF_GRANTS.items()
)


class PublicKey(Body):
    """The public half of a key pair (RFC 7517): P-256, or RSA of 2048 to 4096 bits."""

    kty: Literal["EC", "RSA"]
    kid: _Word
    use: Literal["sig"] | None = None
    alg: Literal["ES256", "RS256", "PS256"] | None = None
    crv: Literal["P-256"] | None = None
    x: _Number | None = None
    y: _Number | None = None
    n: _Number | None = None
    e: _Number | None = None


class PublicKeys(Body):
    """The keys a client proves itself with; several let it change them one by one."""

    keys: Annotated[list[PublicKey], Field(min_length=1, max_length=5)]


class ClientTerms(Body):
    """What a client is and may do; a second person reviews all of it."""

    name_zh: _Name
    name_en: _Name
    application_type: Annotated[
        Literal["web", "native", "service", "terminal"],
        Field(description="`service` acts by itself, `terminal` is a machine that many people use in turn."),
    ]
    redirect_uris: _Addresses = Field(default_factory=list, description="Matched character by character.")
    post_logout_redirect_uris: _Addresses = Field(default_factory=list)
    grant_types: Annotated[list[_Grant], Field(min_length=1, max_length=5, description=_SETS)]
    scopes: Annotated[list[_Scope], Field(max_length=20)] = Field(
        default_factory=list, description="What it may ask people for: one at least, but for a `service`."
    )
    token_endpoint_auth_method: Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
    jwks: Annotated[PublicKeys | None, Field(description="Of a client that proves itself by private_key_jwt.")] = None
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000, description="At each gateway process.")]


class ProposeClient(ClientTerms):
    """A client to register."""

    client_id: Annotated[ClientId | None, Field(description="Made up when it is left out.")] = None


class Decide(Body):
    """Which proposal is decided on: the one that was read, not one that replaced it meanwhile."""

    proposal_id: UUID


class ProposalOut(Shown):
    """A proposal that waits for its review."""

    proposal_id: UUID
    terms: ClientTerms
    proposed_by: UUID
    proposed_at: datetime


class ClientOut(Versioned):
    """A client as it stands, and the change that is proposed, if any."""

    client_id: str
    principal_id: UUID
    status: Literal["proposed", "refused", "active", "suspended"]
    first_party: bool
    name_zh: str
    name_en: str
    application_type: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    grant_types: list[str]
    scopes: list[str]
    token_endpoint_auth_method: str
    jwks: PublicKeys | None
    requests_per_minute: int
    registered_at: datetime
    version: Annotated[
        int,
        Field(
            validation_alias=AliasChoices("changes", "version"),
            description="Rises with every proposal, decision and change; the ETag too, and good for If-Match.",
        ),
    ]
    proposal: ProposalOut | None = None


class ClientWithSecret(ClientOut, ShownOnce):
    """The same with the client's secret, which is shown this once; null for a client that has none."""

    client_secret: str | None
