"""The router's settings, read once from ``REFERRAL_BUS_*`` variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_chassis.kafka import BrokerSettings
from service_chassis.service import Http


class Settings(BrokerSettings, BaseSettings):
    """The router's settings."""

    model_config = SettingsConfigDict(env_prefix="REFERRAL_BUS_", frozen=True)

    trust: Path
    """The trust root that the deployment pins."""
    router_key: Path
    """The router's key file; readable by its owner alone."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65_535)
    """Health and metrics. 0 takes a free port."""
    http_port_file: Path | None = None
    """Where to write the port that was taken."""
    verifiers: int = Field(default=2, ge=1, le=64)
    """Threads that check signatures; more than there are processors gain nothing."""
    directory_within_ms: int = Field(default=5_000, ge=500)
    """How fresh the directory's reader has to be for a decision to be made."""

    @property
    def http(self) -> Http:
        """Where health and metrics are served."""
        return Http(host=self.http_host, port=self.http_port, port_file=self.http_port_file)
