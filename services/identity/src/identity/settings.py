"""What identity's processes are told beside what every service is told."""

from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.functional_validators import AfterValidator

from channels import SharedCodeSettings, Texts
from identity.messages.commands import TEXTS
from identity.throttling.addresses import parse_networks
from identity.wechat import Wechat
from webapi.settings import HttpUrl


def _networks(setting: str) -> str:
    parse_networks(setting)
    return setting


class Settings(SharedCodeSettings):
    """The settings of identity."""

    texts: ClassVar[Texts] = TEXTS

    bootstrap_password: SecretStr | None = Field(
        None, min_length=8, max_length=128, description="first password of `administrator`, 8 to 128 characters"
    )
    password_threads: int = Field(2, ge=1, le=64, description="passwords hashed at the same time")
    password_memory: int = Field(64, ge=12, le=1024, description="MiB that hashing one password takes")

    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "127.0.0.0/8,::1/128",
        description="networks the gateway speaks from, separated by commas; its X-Forwarded-For is believed",
    )
    codes_per_address: int = Field(60, ge=1, description="one-time codes asked for in an hour from one address")
    failures_per_address: int = Field(50, ge=5, description="failed sign-ins from one address before others there wait")

    wechat_app_id: str = Field("", max_length=100, description="the application at WeChat; none: it is not offered")
    wechat_secret: SecretStr = Field(SecretStr(""), max_length=200, description="its secret (AppSecret)")
    wechat_kind: Literal["website", "official_account"] = Field("website", description="what it is registered as")
    wechat_address: HttpUrl = Field(HttpUrl("https://open.weixin.qq.com"), description="where people agree")
    wechat_api_address: HttpUrl = Field(HttpUrl("https://api.weixin.qq.com"), description="where codes are redeemed")

    @property
    def wechat(self) -> Wechat | None:
        """Give the adapter to WeChat, None where it is not configured."""
        if not self.wechat_app_id:
            return None
        return Wechat(
            app_id=self.wechat_app_id,
            secret=self.wechat_secret.get_secret_value(),
            kind=self.wechat_kind,
            address=str(self.wechat_address),
            api_address=str(self.wechat_api_address),
        )

    @model_validator(mode="after")
    def _complete_wechat(self) -> "Settings":
        if bool(self.wechat_app_id) != bool(self.wechat_secret.get_secret_value()):
            raise ValueError("XIANGQIAO_WECHAT_APP_ID and XIANGQIAO_WECHAT_SECRET stand together")
        return self

    @field_validator("issuer")
    @classmethod
    def _https_or_loopback(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            raise ValueError("passwords and tokens need https; http is for loopback addresses alone")
        return issuer


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
