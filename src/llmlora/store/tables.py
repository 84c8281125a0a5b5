"""Every table, once, for both databases. The database is an index: folders can make it again (`rebuild.py`).

Times are UTC in ISO format, for people. Deadlines are two columns, `<name>_at` (seconds of `core/boot_clock.py`) and
`<name>_boot`. A change of anything here is a new file in `migrations/versions/`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_REVISION = "r0002"
METRICS = (
    "loss",
    "eval_loss",
    "perplexity",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "num_tokens",
    "eta_seconds",
    "memory_bytes",
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_JSON = JSON(none_as_null=True)
_ID, _TIME = String(26), String(32)
_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in INTEGER columns

datasets = Table(
    "datasets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("format", String(16)),
    Column("encoding", String(32)),
    Column("num_examples", Integer, nullable=False),
    Column("num_bytes", _BIG, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("is_ok", Boolean, nullable=False),
    Column("problems", _JSON, nullable=False),
    Column("stats", _JSON, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("columns", _JSON, nullable=False, server_default="{}"),
    Column("change", _JSON),
    Column("created_at", _TIME, nullable=False),
    Column("deleted_at", _TIME),
    Column("purge_at", Float),
    Column("purge_boot", String(64)),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("error", _JSON),
    Column("result", _JSON),
    Column("progress", _JSON, nullable=False),
    Column("position", Float, nullable=False),
    Column("run", Integer, nullable=False),
    Column("stop_request", String(16)),
    Column("num_retries", Integer, nullable=False),
    Column("retry_at", Float),
    Column("retry_boot", String(64)),
    Column("parent_id", _ID),
    Column("created_at", _TIME, nullable=False),
    Column("started_at", _TIME),
    Column("ended_at", _TIME),
    Column("deleted_at", _TIME),
    Column("purge_at", Float),
    Column("purge_boot", String(64)),
    Index(None, "status", "position"),
    Index(None, "parent_id"),
)

job_datasets = Table(
    "job_datasets",
    metadata,
    Column("job_id", _ID, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_id", _ID, primary_key=True),
    Column("role", String(8), primary_key=True),
    Column("share", Float),
    Index(None, "dataset_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("job_id", _ID, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("owner", Text),
    Column("lease_at", Float),
    Column("lease_boot", String(64)),
    Column("pid", Integer),
    Column("process_start", Float),
    Column("process_boot", String(64)),
    Column("started_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
    Column("exit_code", Integer),
    Column("outcome", String(16)),
    Column("reason", Text),
    Column("error", _JSON),
    Column("from_checkpoint", Text),
    Column("from_step", Integer),
    Column("is_exact", Boolean),
    Column("last_step", Integer),
    Column("last_seq", Integer, nullable=False),
    Column("num_bytes", _BIG, nullable=False),
    Index(None, "ended_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("job_id", _ID),
    Column("run", Integer, nullable=False),
    Column("seq", Integer),
    Column("type", String(16), nullable=False),
    Column("time", _TIME, nullable=False),
    Column("data", _JSON, nullable=False),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
    UniqueConstraint("job_id", "run", "seq"),
    sqlite_autoincrement=True,
)

metrics = Table(
    "metrics",
    metadata,
    Column("job_id", _ID, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    *(Column(name, Float) for name in METRICS),
    sqlite_with_rowid=False,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", _JSON, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer),
    Column("response", _JSON),
    Column("created_at", _TIME, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("format", String(16)),
    Column("file_name", Text, nullable=False),
    Column("num_bytes", _BIG, nullable=False),
    Column("sha256", String(64)),
    Column("created_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
)
