"""How the server is set up: command line before environment before default, in one frozen object."""

from __future__ import annotations

import ipaddress
import os
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from llmlora.core.errors import ConfigError

_USABLE_TOKEN = {chr(number) for number in range(0x21, 0x7F)} - set('"#%&+,;<>\\^`{|}')


class ServerSettings(BaseSettings):
    """Where the server listens, which names it answers to, whether it asks for a token, and whether it fetches files.

    `fetch_urls` lets requests name addresses on other machines from which the server gets data; off unless set.
    `ollama_port` is where it also speaks Ollama's protocol, to this machine only and without a token; off unless set.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    host: str = Field("127.0.0.1", min_length=1, validation_alias="LLMLORA_HOST")
    port: int = Field(8000, ge=0, le=65535, validation_alias="LLMLORA_PORT")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="LLMLORA_ALLOWED_HOSTS")
    ollama_port: int | None = Field(None, ge=0, le=65535, validation_alias="LLMLORA_OLLAMA_PORT")
    fetch_urls: bool = Field(False, validation_alias="LLMLORA_FETCH_URLS")
    token: SecretStr | None = Field(None, validation_alias="LLMLORA_TOKEN")
    model_roots: Annotated[tuple[Path, ...], NoDecode] = Field((), validation_alias="LLMLORA_MODEL_ROOTS")
    warm_memory_percent: int = Field(40, ge=1, le=95, validation_alias="LLMLORA_WARM_MEMORY_PERCENT")
    warm_seconds: float = Field(300.0, ge=0, le=1e6, validation_alias="LLMLORA_WARM_SECONDS")
    _is_open: bool = PrivateAttr(False)  # no variable sets this, only the command line

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """Take names separated by commas, as the environment gives them."""
        names = value.split(",") if isinstance(value, str) else value
        return tuple(name.strip().lower() for name in names if name.strip())

    @field_validator("model_roots", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        """Take folders as the environment gives them; a relative one could mean anything."""
        names = value.split(os.pathsep) if isinstance(value, str) else value
        found = tuple(Path(name).expanduser() for name in names if str(name).strip())
        if not all(folder.is_absolute() for folder in found):
            raise ValueError("model_roots")
        return found

    @field_validator("token")
    @classmethod
    def _usable(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse a token that a header or an address could not carry; an empty one is none."""
        text = value.get_secret_value() if value is not None else ""
        if set(text) - _USABLE_TOKEN:
            raise ValueError("token")
        return value if text else None

    @property
    def needs_token(self) -> bool:
        """Tell whether requests have to carry a token."""
        return not self._is_open

    def with_ollama_port(self, port: int | None) -> Self:
        """Return the same settings with the port that the system gave where any free one was asked for."""
        return self.model_copy(update={"ollama_port": port})

    def without_token(self) -> Self:
        """Return the same settings for a server that asks for no token.

        Raises:
            ConfigError: `no_auth_not_loopback`, other machines would reach it.
        """
        if not self.is_loopback:
            raise ConfigError("no_auth_not_loopback", host=self.host)
        opened = self.model_copy()
        opened._is_open = True
        return opened

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine reaches the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


_current: ContextVar[ServerSettings | None] = ContextVar("server_settings", default=None)


def read_server_settings(**given: Any) -> ServerSettings:
    """Return the settings with what the command line gives; None means not given.

    Raises:
        ConfigError: `server_setting` for a value that cannot be used.
    """
    try:
        return ServerSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigError("server_setting", name=_name_of(error)) from None


def _name_of(error: ValidationError) -> str:
    """Return the variable that holds the first bad value; the value itself may be a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[0]["loc"]
    word = str(found[0]) if found else ""
    field = ServerSettings.model_fields.get(word)
    return str(field.validation_alias) if field is not None else word


def use_server_settings(settings: ServerSettings) -> None:
    """Fix the settings that an application made from here on, in this thread or task, works with."""
    _current.set(settings)


def current_server_settings() -> ServerSettings:
    """Return the settings in use, else those of the environment."""
    return _current.get() or read_server_settings()
