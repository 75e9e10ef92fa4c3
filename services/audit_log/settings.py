"""The log's settings, read once from ``REFERRAL_BUS_*`` variables."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit_log.core.retention import DAY_MS
from service_chassis.kafka import BrokerSettings
from service_chassis.service import Http


class Keeping(BaseSettings):
    """How long what is kept where, and what ends it."""

    model_config = SettingsConfigDict(env_prefix="REFERRAL_BUS_", frozen=True)

    log_keep_days: int = Field(default=30, ge=0, le=3_650)
    """How long records stay on the ledger in Kafka once they are in the log. 0 keeps them for ever."""
    log_readers: str = "deadline-watcher"
    """The consumer groups that read the ledger too, with commas: nothing goes that one of them has not read."""
    log_wait_days: float = Field(default=14, ge=0, le=3_650)
    """How long an erasure waits once it was asked for; a part of a day will do for a rehearsal."""
    log_erase_s: float = Field(default=60.0, ge=0.1, le=86_400)
    """How often what may be erased is looked for."""
    log_retention: Path | None = None
    """By which rules a case is due to be erased (docs/erasure.md). Without: by none; no law names a number."""
    log_backup_days: int = Field(default=30, ge=0, le=36_500)
    """How long backups of the store are kept: the log says so, and whoever makes them has to see to it."""

    @property
    def wait_ms(self) -> int:
        """How long an erasure waits."""
        return round(self.log_wait_days * DAY_MS)

    @property
    def readers(self) -> tuple[str, ...]:
        """The consumer groups that read the ledger too."""
        return tuple(name for name in self.log_readers.split(",") if name)


class Settings(BrokerSettings, Keeping):
    """The log's settings."""

    trust: Path
    """The trust root that the deployment pins."""
    log_key: Path
    """The log's key file: it signs checkpoints and statements. Readable by its owner alone."""
    log_store: SecretStr
    """Where the log is kept: ``sqlite:////path`` or ``postgresql+psycopg://…``, which may carry a password."""
    log_tiles: Path
    """The folder of tiles and checkpoints that is published."""
    log_policy: Path | None = None
    """The policy of logs and witnesses (c2sp.org/tlog-policy); its witnesses with an address are asked to cosign."""
    log_origin: str | None = Field(default=None, max_length=100)
    """What the log is called in its checkpoints: ``<bus>.log`` where nothing is said. It never changes."""
    log_beat_ms: int = Field(default=100, ge=10, le=60_000)
    """How often a checkpoint is published when the log has grown."""
    log_http_host: str = "127.0.0.1"
    log_http_port: int = Field(default=8083, ge=0, le=65_535)
    """Tiles, checkpoints and receipts, for everybody. 0 takes a free port."""
    log_http_port_file: Path | None = None
    """Where to write that port."""
    log_http_per_s: float = Field(default=50.0, gt=0)
    """How often one address may ask, at length; ten seconds' worth at once. What stands in front of it is one."""
    log_stated_per_s: float = Field(default=1.0, gt=0)
    """How often one address may state something, or ask where it stands, at length; ten seconds' worth at once."""
    log_reads_per_s: float = Field(default=5.0, gt=0)
    """How often one key for HTTP may ask for cases, at length; ten seconds' worth at once."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8082, ge=0, le=65_535)
    """Health and metrics. 0 takes a free port."""
    http_port_file: Path | None = None
    """Where to write the port that was taken."""

    @property
    def http(self) -> Http:
        """Where health and metrics are served."""
        return Http(host=self.http_host, port=self.http_port, port_file=self.http_port_file)

    @property
    def log_http(self) -> Http:
        """Where what the log publishes is served."""
        return Http(host=self.log_http_host, port=self.log_http_port, port_file=self.log_http_port_file)
