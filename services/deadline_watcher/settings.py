"""The watcher's settings, read once from ``REFERRAL_BUS_*`` variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_chassis.kafka import BrokerSettings
from service_chassis.service import Http


class Settings(BrokerSettings, BaseSettings):
    """The watcher's settings."""

    model_config = SettingsConfigDict(env_prefix="REFERRAL_BUS_", frozen=True)

    trust: Path
    """The trust root that the deployment pins."""
    watcher_key: Path
    """The watcher's key file: it signs, and opens `clock` sections. Readable by its owner alone."""
    watcher_state_key: Path
    """The key of the watcher's state. Without it the state is lost: what runs, since when, and what was said."""
    packs: str
    """The rule packs, files in the order in which they are listed, with a colon between them."""
    calendar: Path
    """The days off."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8081, ge=0, le=65_535)
    """Health and metrics. 0 takes a free port."""
    http_port_file: Path | None = None
    """Where to write the port that was taken."""
    notices: int = Field(default=64, ge=1, le=1_000)
    """How many notices are sealed at a time: about 25 ms of work, then input has its turn."""
    directory_within_ms: int = Field(default=5_000, ge=500)
    """How fresh the directory's reader has to be for something to be said."""

    @property
    def http(self) -> Http:
        """Where health and metrics are served."""
        return Http(host=self.http_host, port=self.http_port, port_file=self.http_port_file)
