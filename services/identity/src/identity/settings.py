"""What identity's processes are told beside what every service is told."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.functional_validators import AfterValidator

from identity.messages.texts import TEXTS
from identity.throttling.addresses import parse_networks
from identity.wechat import Wechat
from webapi.sealing import SealingSettings
from webapi.settings import HttpUrl


def _networks(setting: str) -> str:
    parse_networks(setting)
    return setting


class Settings(SealingSettings):
    """The settings of identity."""

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
    sms_url: HttpUrl | None = Field(None, description="gateway of short messages; none: no message goes out")
    sms_key_id: str = Field("", max_length=200, description="id of the key at the gateway (SecretId)")
    sms_token: SecretStr = Field(SecretStr(""), max_length=200, description="the key itself (SecretKey)")
    sms_application: str = Field("", max_length=100, description="the application at the gateway (SmsSdkAppId)")
    sms_signature: str = Field("", max_length=100, description="the sender that messages begin with (SignName)")
    sms_region: str = Field("ap-guangzhou", max_length=50, description="region of the gateway")
    sms_templates: str = Field(
        "", max_length=10_000, description="`text.language=template` separated by commas, e.g. code.zh=1001"
    )

    wechat_app_id: str = Field("", max_length=100, description="the application at WeChat; none: it is not offered")
    wechat_secret: SecretStr = Field(SecretStr(""), max_length=200, description="its secret (AppSecret)")
    wechat_kind: Literal["website", "official_account"] = Field("website", description="what it is registered as")
    wechat_address: HttpUrl = Field(HttpUrl("https://open.weixin.qq.com"), description="where people agree")
    wechat_api_address: HttpUrl = Field(HttpUrl("https://api.weixin.qq.com"), description="where codes are redeemed")

    @property
    def templates(self) -> dict[tuple[str, str], str]:
        """Give the gateway's template for each text and language."""
        pairs = (part.strip().partition("=") for part in self.sms_templates.split(",") if part.strip())
        named = ((name.strip().partition("."), template.strip()) for name, _, template in pairs)
        return {(text, language): template for (text, _, language), template in named}

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
    def _complete_gateway(self) -> "Settings":
        if self.sms_url is None:
            return self
        if not all((self.sms_key_id, self.sms_token.get_secret_value(), self.sms_application, self.sms_signature)):
            raise ValueError("XIANGQIAO_SMS_URL needs SMS_KEY_ID, SMS_TOKEN, SMS_APPLICATION and SMS_SIGNATURE as well")
        missing = [f"{text}.{language}" for text in TEXTS for language in ("zh", "en")]
        missing = [name for name in missing if tuple(name.split(".")) not in self.templates]
        if missing:
            raise ValueError(f"XIANGQIAO_SMS_TEMPLATES names no template for {', '.join(missing)}")
        return self

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
