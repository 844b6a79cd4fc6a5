"""What members' processes are told beside what every service is told."""

from typing import ClassVar

from channels import SharedCodeSettings, Texts


class Settings(SharedCodeSettings):
    """The settings of members."""

    texts: ClassVar[Texts] = Texts("members.phone_messages")
