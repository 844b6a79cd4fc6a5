"""What the person who runs the system can set, from the environment and the command line."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun

Data = Annotated[Path | None, typer.Option(help="The directory that holds all data.", envvar="XIANGQIAO_DATA")]
"""An option of every command."""


class Settings(BaseSettings):
    """Settings of the standalone form, read from `XIANGQIAO_*`."""

    model_config = SettingsConfigDict(env_prefix="XIANGQIAO_", env_ignore_empty=True, extra="ignore")

    data: Path = Field(Path(".xiangqiao"), description="the directory that holds all data")
    gateway_port: int = Field(8080, ge=1, le=65535, description="the port of the one door, on 127.0.0.1")
    postgres_port: int | None = Field(None, ge=1, le=65535, description="PostgreSQL's port, any free one if not set")
    nats_port: int | None = Field(None, ge=1, le=65535, description="NATS's port, any free one if not set")


def read(**given: object) -> Settings:
    """Return the settings; what the command line gave (not None) goes before the environment. Raises CannotRun."""
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        name = f"XIANGQIAO_{str(wrong['loc'][0]).upper()}"
        raise CannotRun(f"{name} is not valid: {wrong['msg']}; correct it in the environment") from error


def home_of(data: Path | None, port: int | None = None) -> tuple[DataDirectory, Settings]:
    """Return the data directory that a command is told of, and the settings. Raises CannotRun."""
    settings = read(data=data, gateway_port=port)
    return DataDirectory(settings.data), settings
