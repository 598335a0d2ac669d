"""Settings of the service: from `ectopy.toml` in the working folder and the environment (`ECTOPY_SERVICE_PORT=...`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ectopy.errors import SettingsError
from ectopy.verdict import DEFAULT_MODEL

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """One value a line, as `ectopy config` prints them."""

    model_config = SettingsConfigDict(env_prefix="ECTOPY_SERVICE_", toml_file="ectopy.toml", extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; loopback only, for now")
    port: int = Field(8700, ge=0, le=65535, description="Port; 0 takes a free one")
    data: Path = Field(user_data_path("ectopy"), description="Folder of the database and of the samples")
    model: str = Field(DEFAULT_MODEL, description="Model that judges")
    operating_point: Literal["balanced", "high-sensitivity", "few-alarms"] = Field(
        "balanced", description="Operating point of the model"
    )
    credit_s: float = Field(10.0, gt=0, le=60, description="Seconds of signal that a device may be ahead of the disk")
    late_s: float = Field(5.0, gt=0, description="Seconds that missing samples are waited for")
    snapshot_s: float = Field(30.0, gt=0, description="Seconds of signal between two snapshots of a stream")
    spare_mb: int = Field(256, ge=0, description="MB of disk below which nothing more is taken in")
    workers: int = Field(1, ge=1, le=64, description="Processes that analyse strips, and as many that analyse files")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host not in LOOPBACK:
            raise ValueError("only loopback addresses for now: nobody has to sign in yet; expected 127.0.0.1 or ::1")
        return host

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**given: object) -> Settings:
    """The settings, those given first.

    Raises
    ------
    SettingsError
        If one of them is unknown or can't be.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        what = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name} = {first.get('input')!r}: {what}; 'ectopy config' shows all settings") from None
    except ValueError as error:  # ectopy.toml is no TOML
        raise SettingsError(f"ectopy.toml: {error}") from None
