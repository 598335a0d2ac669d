"""Settings of the service: from `ectopy.toml` in the working folder and the environment (`ECTOPY_SERVICE_PORT=...`)."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ectopy.errors import SettingsError
from ectopy.service.notify.address import Address
from ectopy.service.notify.guard import host_port
from ectopy.verdict import DEFAULT_MODEL, OperatingPoint

_PREFIX = "ECTOPY_SERVICE_"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_TARGETS = 16  # a thread each
# Senders of Apprise that do nothing but HTTP or SMTP, in the calling thread: no program, no datagram, nothing local.
_SCHEMES = [
    *("json", "jsons", "form", "forms", "xml", "xmls", "mailto", "mailtos", "mailgun", "sendgrid", "ntfy", "ntfys"),
    *("gotify", "gotifys", "pover", "tgram", "signal", "signals", "twilio", "slack", "discord", "workflows", "gchat"),
    *("webex", "wxteams", "mmost", "mmosts", "rocket", "rockets", "zulip", "opsgenie", "pagerduty", "splunk"),
]


def _listed(value: Any) -> Any:
    """Words parted by white space, as the environment gives them."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[list[str], NoDecode, BeforeValidator(_listed)]
Addresses = Annotated[list[Address], NoDecode, BeforeValidator(_listed), Field(max_length=_MOST_TARGETS)]
_SECRET = frozenset({"notify", "notify_escalated", "dead_man"})  # settings that carry passwords


class _Toml(TomlConfigSettingsSource):
    """Takes the mark that editors on Windows put at the start of a file."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        return tomllib.loads(file_path.read_text(encoding="utf-8-sig"))


class Settings(BaseSettings):
    """One value a line, as `ectopy config` prints them."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, toml_file="ectopy.toml", extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; loopback only, for now")
    port: int = Field(8700, ge=0, le=65535, description="Port; 0 takes a free one")
    data: Path = Field(user_data_path("ectopy"), description="Folder of the database and of the samples")
    model: str = Field(DEFAULT_MODEL, description="Model that judges")
    operating_point: OperatingPoint = Field("balanced", description="Operating point of the model")
    credit_s: float = Field(10.0, gt=0, le=60, description="Seconds of signal that a device may be ahead of the disk")
    late_s: float = Field(5.0, gt=0, description="Seconds that missing samples are waited for")
    snapshot_s: float = Field(30.0, gt=0, description="Seconds of signal between two snapshots of a stream")
    spare_mb: int = Field(256, ge=0, description="MB of disk below which nothing more is taken in")
    workers: int = Field(1, ge=1, le=64, description="Processes that analyse strips, and as many that analyse files")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    notify: Addresses = Field(
        [], description="Whom alarms are told to: Apprise URLs, one a recipient; in the environment with spaces between"
    )
    notify_escalated: Addresses = Field([], description="Whom to tell when nobody acknowledges; none: the first again")
    notify_schemes: Words = Field(_SCHEMES, description="Kinds of Apprise URLs that may be used")
    notify_inside: Words = Field(
        [], description="Hosts (host or host:port) of the inside network that notifications may go to; no others"
    )
    dead_man: Address | None = Field(None, description="An http(s) URL that is fetched every 60 s while all is well")

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host not in LOOPBACK:
            raise ValueError("only loopback addresses for now: nobody has to sign in yet; expected 127.0.0.1 or ::1")
        return host

    @field_validator("notify_inside")
    @classmethod
    def _hosts(cls, entries: list[str]) -> list[str]:
        for entry in entries:
            host_port(entry)
        return entries

    @model_validator(mode="after")
    def _known_schemes(self) -> Settings:
        allowed = {scheme.lower() for scheme in self.notify_schemes}
        for name in ("notify", "notify_escalated"):
            for address in getattr(self, name):
                if address.scheme not in allowed:  # no ValueError: pydantic would show all settings with it
                    raise SettingsError(
                        f"{name} = {address}: expected one of {', '.join(sorted(allowed))} before '://'; "
                        "notify_schemes allows others"
                    )
        if self.dead_man is not None and self.dead_man.scheme not in ("http", "https"):
            raise SettingsError(f"dead_man = {self.dead_man}: expected http:// or https://")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Toml(settings_cls)


def load_settings(**given: object) -> Settings:
    """The settings, those given first.

    Raises
    ------
    SettingsError
        If one of them is unknown or can't be.
    """
    for variable in os.environ:  # of which pydantic passes over those that it does not know
        name = variable.upper().removeprefix(_PREFIX)
        if name != variable.upper() and name.lower() not in Settings.model_fields:
            raise SettingsError(f"{variable}: no such setting; 'ectopy config' shows all settings")
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        what = first["msg"].removeprefix("Value error, ")
        given_as = "..." if name.partition(".")[0] in _SECRET else repr(first.get("input"))
        given_as = re.sub(r"://.*(?=['\"])", "://...", given_as)  # whatever it is, an address may carry a password
        raise SettingsError(f"{name} = {given_as}: {what}; 'ectopy config' shows all settings") from None
    except OSError as error:
        raise SettingsError(f"ectopy.toml: can't be read ({error.strerror}); check its permissions") from None
    except ValueError as error:  # ectopy.toml is no TOML
        raise SettingsError(f"ectopy.toml: {error}") from None
