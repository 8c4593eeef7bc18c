"""What serving processes read of the environment, and they read it here alone: frozen, typed, after the fork."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class Settings(BaseSettings):
    """Each field is an environment variable of the same name in upper case; NAME_FILE gives the name of a file that holds the value."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False, env_ignore_empty=True)

    database_url: SecretStr = Field(
        SecretStr(""), description="This process's database with its own role: postgresql://role:password@host:port/name"
    )
    nats_url: SecretStr = Field(SecretStr(""), description="The NATS server with this process's user: nats://user:password@host:port")
    token_private_key: SecretStr = Field(
        SecretStr(""), description="Ed25519 private key (PEM) that signs caller tokens; identity alone has it"
    )
    token_public_key: str = Field("", description="Ed25519 public key (PEM) by which every service verifies caller tokens")
    identity_url: str = Field("http://127.0.0.1:8101", description="Where the gateway finds identity")
    personnel_url: str = Field("http://127.0.0.1:8102", description="Where the gateway finds personnel")
    duty_url: str = Field("http://127.0.0.1:8103", description="Where the gateway finds duty")
    dispatch_url: str = Field("http://127.0.0.1:8104", description="Where the gateway finds dispatch")
    notifications_url: str = Field("http://127.0.0.1:8105", description="Where the gateway finds notifications")
    public_url: str = Field("", description="The address people type: QR codes, links, the Origin check and the kind of cookie follow it")
    host: str = Field("127.0.0.1", description="The address the gateway listens on")
    port: int = Field(8000, ge=0, le=65535, description="The port the gateway listens on")
    tls_cert: Path | None = Field(None, description="Certificate of the gateway, when it speaks TLS itself")
    tls_key: Path | None = Field(None, description="Key to the certificate")
    zone: str = Field(
        "Asia/Shanghai", description="The institution's one time zone; dates of duty, screening and vaccination are local to it"
    )
    demo: bool = Field(False, description="A demo holds invented people and can never become a real system")
    demo_setup_code: SecretStr = Field(SecretStr(""), description="The setup code of a demo, handed to its loader")
    clock_file: Path | None = Field(None, description="The demo's clock: one offset that all processes watch")
    data_dir: Path | None = Field(
        None, description="Where data and backups lie; the operator's page shows its disk and the age of the last backup"
    )
    work: Literal["on", "off"] = Field("on", description="off: this replica answers requests but runs no relay, consumers or due rows")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged")
    outbox_days: int = Field(8, ge=8, le=90, description="How long sent events are kept, in days; longer than the stream keeps them")
    done_days: int = Field(15, ge=10, le=180, description="How long the inbox remembers what was done, in days; longer than outbox_days")
    look_days: int = Field(1095, ge=30, description="How long looks at health records are kept, in days")
    sign_in_days: int = Field(365, ge=30, description="How long sign-ins are kept, in days")
    rest_hours: float = Field(
        8, ge=0, le=168, description="The least rest between two bookings of a person, in hours, duty and dispatch alike"
    )
    most_hours_in_24: float = Field(12, gt=0, le=24, description="The most hours that may be booked of a person in any 24")
    import_days: int = Field(30, ge=1, description="How long an uploaded staff list and its preview are kept, in days")
    smtp_url: SecretStr = Field(
        SecretStr(""), description="The mail server: smtp://user:password@host:port, or smtps:// for TLS from the start; empty: no mail"
    )
    mail_from: str = Field("muster@localhost", description="The address that mail comes from")
    webhook_inside: bool = Field(
        False, description="Webhooks may go to addresses inside this network and without TLS: for tests and demos alone"
    )
    left_days: int = Field(1095, ge=30, description="How long the record of a person who left is kept, in days")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as unknown:
            raise ValueError("there is no such time zone") from unknown
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Files(settings_cls)


class _Files(PydanticBaseSettingsSource):
    """NAME_FILE: secrets come as files, so that they do not stand in a process list."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        return (Path(path).read_text(encoding="utf-8").strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


@cache
def settings() -> Settings:
    """The settings of this process. A missing or odd value stops the start with one clear sentence, which never repeats the value."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_context=False)[0]
        sys.exit(f"setting {'.'.join(str(part) for part in first['loc']).upper()}: {first['msg'].removeprefix('Value error, ')}")
    except OSError as wrong:
        sys.exit(f"setting file cannot be read: {wrong.filename}: {wrong.strerror}")
