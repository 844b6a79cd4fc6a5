"""What the gateway's processes are told beside what every service is told."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, field_validator

from gateway.quotas.buckets import ADDRESS, PERSON, REFUSED
from webapi.settings import HttpUrl, ServiceSettings

_http = TypeAdapter(HttpUrl)


def _http_urls(text: str) -> str:
    return ",".join(_http.validate_python(url.strip()) for url in text.split(","))


HttpUrls = Annotated[str, AfterValidator(_http_urls)]
"""Absolute http(s) URLs, kept by commas and without a slash at their ends."""


class Settings(ServiceSettings):
    """The settings of the gateway: where each service is reached. Its own public address is the `issuer`."""

    operations_port: int = Field(
        ge=0, le=65535, description="port of /health/ready and /metrics, never open to the public"
    )
    client_requests_per_minute: int = Field(
        600_000, ge=1, description="quota of a client that identity told nothing of"
    )
    person_requests_per_minute: int = Field(
        PERSON.per_minute, ge=1, description="requests of one person through one client, at each process"
    )
    person_requests_at_once: int = Field(PERSON.at_once, ge=1, description="of these at once")
    person_refused_at_once: int = Field(
        REFUSED.at_once, ge=1, description="refusals of what is not theirs before a person has to wait between them"
    )
    address_requests_per_minute: int = Field(
        ADDRESS.per_minute, ge=2, description="requests without a token from one address, at each process; half at once"
    )
    least_bytes_per_second: int = Field(
        512, ge=1, le=1_000_000, description="what a client must send or read over any minute; 2G keeps the default"
    )
    trusted_proxies: str = Field(
        "",
        max_length=10_000,
        description="networks of the proxies in front, by commas; their X-Forwarded-For is believed",
    )
    portal: Path | None = Field(None, description="folder of the built web front end; none: it is not served")
    upstream_identity: HttpUrls = Field(description="base URL of identity, of several instances by commas")
    upstream_members: HttpUrls = Field(description="base URL of members, of several instances by commas")
    upstream_activities: HttpUrls = Field(description="base URL of activities, of several instances by commas")
    upstream_learning: HttpUrls = Field(description="base URL of learning, of several instances by commas")
    upstream_feedback: HttpUrls = Field(description="base URL of feedback, of several instances by commas")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, setting: str) -> str:
        for part in filter(None, setting.split(",")):
            ip_network(part.strip())
        return setting

    @property
    def upstreams(self) -> dict[str, str]:
        """Give the base URLs of each service, by commas, by its name."""
        fields = (name for name in type(self).model_fields if name.startswith("upstream_"))
        return {name.removeprefix("upstream_"): getattr(self, name) for name in fields}
