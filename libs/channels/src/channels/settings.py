"""What a service that sends to phones is told: the gateway of short messages, and a template for each of its texts."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr, model_validator

from channels.outcomes import Channel
from channels.sms import GatewayKey, TencentSms
from channels.texts import Texts
from database import KeyRing, utc_now
from webapi.sealing import SealingSettings, checked_ring
from webapi.settings import HttpUrl


class ChannelSettings(SealingSettings):
    """The settings of such a service; `texts` are what it sends."""

    texts: ClassVar[Texts]

    sms_url: HttpUrl | None = Field(None, description="gateway of short messages; none: no message goes out")
    sms_key_id: str = Field("", max_length=200, description="id of the key at the gateway (SecretId)")
    sms_token: SecretStr = Field(SecretStr(""), max_length=200, description="the key itself (SecretKey)")
    sms_application: str = Field("", max_length=100, description="the application at the gateway (SmsSdkAppId)")
    sms_signature: str = Field("", max_length=100, description="the sender that messages begin with (SignName)")
    sms_region: str = Field("ap-guangzhou", max_length=50, description="region of the gateway")
    sms_templates: str = Field(
        "", max_length=10_000, description="`text.language=template` separated by commas, e.g. code.zh=1001"
    )

    @property
    def templates(self) -> dict[tuple[str, str], str]:
        """Give the gateway's template for each text and language; it may name those of other services too."""
        pairs = (part.strip().partition("=") for part in self.sms_templates.split(",") if part.strip())
        named = ((name.strip().partition("."), template.strip()) for name, _, template in pairs)
        return {(text, language): template for (text, _, language), template in named}

    @model_validator(mode="after")
    def _complete_gateway(self) -> "ChannelSettings":
        if self.sms_url is None:
            return self
        if not all((self.sms_key_id, self.sms_token.get_secret_value(), self.sms_application, self.sms_signature)):
            raise ValueError("XIANGQIAO_SMS_URL needs SMS_KEY_ID, SMS_TOKEN, SMS_APPLICATION and SMS_SIGNATURE as well")
        missing = [f"{text}.{language}" for text in self.texts for language in ("zh", "en")]
        missing = [name for name in missing if tuple(name.split(".")) not in self.templates]
        if missing:
            raise ValueError(f"XIANGQIAO_SMS_TEMPLATES names no template for {', '.join(missing)}")
        return self


class SharedCodeSettings(ChannelSettings):
    """The settings of a service that makes codes as another does."""

    phone_key: Annotated[SecretStr, AfterValidator(checked_ring)] = Field(
        description="the key that identity and members share, of which codes to phones on member files are made; "
        "`number:base64 of 32 bytes`, and no other secret"
    )

    @property
    def phone_ring(self) -> KeyRing:
        """The shared key."""
        return KeyRing.parse(self.phone_key.get_secret_value())


def channel_of(settings: ChannelSettings) -> Channel | None:
    """Give the channel to people's phones that the settings describe, None when they describe none."""
    if settings.sms_url is None:
        return None
    return TencentSms(
        settings.sms_url,
        GatewayKey(settings.sms_key_id, settings.sms_token.get_secret_value()),
        application=settings.sms_application,
        signature=settings.sms_signature,
        region=settings.sms_region,
        templates=settings.templates,
        clock=utc_now,
    )
