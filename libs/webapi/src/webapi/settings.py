"""Settings of a service's processes, read from the environment once and handed down."""

import sys
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import AnyHttpUrl, Field, StringConstraints, TypeAdapter, UrlConstraints, ValidationError
from pydantic.functional_validators import AfterValidator
from pydantic_core import Url
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PREFIX = "XIANGQIAO_"
BAD_SETTING = 2  # the exit code of a process whose settings are missing or wrong

S = TypeVar("S", bound="ServiceSettings")

_postgres = TypeAdapter(Annotated[Url, UrlConstraints(allowed_schemes=["postgresql", "postgresql+asyncpg"])])
_nats = TypeAdapter(Annotated[Url, UrlConstraints(allowed_schemes=["nats", "tls", "ws", "wss"])])
_http = TypeAdapter(AnyHttpUrl)


def _postgres_url(text: str) -> str:
    _postgres.validate_python(text)
    return text


def _nats_url(text: str) -> str:
    for server in text.split(","):
        _nats.validate_python(server)
    return text


def _http_url(text: str) -> str:
    _http.validate_python(text)
    return text.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An absolute http(s) URL, kept without a slash at its end."""


class ServiceSettings(BaseSettings):
    """What every process of every service is told by variables `XIANGQIAO_<NAME>`; a service adds its own fields.

    Addresses may hold passwords, so they are never shown. Secrets have no default.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_postgres_url)] = Field(
        repr=False, description="postgresql://user:password@host:port/database"
    )
    nats_url: Annotated[str, AfterValidator(_nats_url)] = Field(
        repr=False, description="nats://user:password@host:port, several separated by commas"
    )
    nats_replicas: int = Field(1, ge=1, le=5, description="how many nodes of NATS keep this service's stream")
    issuer: HttpUrl = Field(description="public URL of the identity provider, as in the tokens' iss")
    jwks_url: HttpUrl = Field(description="where identity publishes its keys")
    audience: Annotated[str, StringConstraints(min_length=1)] = Field("xiangqiao", description="the tokens' aud")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on, 0 for any free one")
    operations_port: int | None = Field(
        None, ge=0, le=65535, description="port of /health/ready and /metrics, where `port` is open to the public"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    otlp_endpoint: HttpUrl | None = Field(None, description="base URL of an OTLP/HTTP collector; none: no spans")
    trace_sample_ratio: float = Field(1.0, ge=0, le=1, description="share of traces recorded")
    audit_days: int = Field(180, ge=180, le=36_500, description="how many days the audit is kept, 180 or more")
    database_pool_size: int = Field(10, ge=1, le=200, description="connections kept")
    database_pool_overflow: int = Field(
        0, ge=0, le=200, description="further connections under load, each closed after its use"
    )
    startup_wait_seconds: float = Field(
        30.0, ge=0, description="how long to wait for PostgreSQL, its migration and NATS at start"
    )
    leave_seconds: float = Field(
        0, ge=0, le=60, description="how long an API told to end serves on, so that nobody finds its door shut"
    )


def exit_with(line: str, code: int) -> NoReturn:
    """End the process with one clear line on stderr."""
    sys.stderr.write(line.rstrip() + "\n")
    sys.stderr.flush()
    raise SystemExit(code)


def read_settings(kind: type[S]) -> S:
    """Read the settings of `kind` from the environment, or end the process with one line that says what to do."""
    try:
        return kind()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
    except SettingsError:
        exit_with("a setting XIANGQIAO_* that should be JSON is not; correct it.", BAD_SETTING)
    if not wrong["loc"]:
        exit_with(f"the settings {PREFIX}* are not valid together: {wrong['msg']}; correct them.", BAD_SETTING)
    name = str(wrong["loc"][0])
    field = kind.model_fields.get(name)
    meaning = f" ({field.description})" if field is not None and field.description else ""
    if wrong["type"] == "missing":
        exit_with(f"{PREFIX}{name.upper()} is not set; set it in the environment{meaning}.", BAD_SETTING)
    reason = wrong["msg"].removeprefix("Value error, ")
    exit_with(f"{PREFIX}{name.upper()} is not valid: {reason}; correct it{meaning}.", BAD_SETTING)
