"""Versions of datasets, how each was made and is read; digests of uploads; events that are about no job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"


def upgrade() -> None:
    """Add what datasets and uploads have to remember; what is there already is in its first version."""
    with op.batch_alter_table("datasets") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("columns", sa.JSON(none_as_null=True), nullable=False, server_default="{}"))
        table.add_column(sa.Column("change", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("sha256", sa.String(length=64), nullable=True))
    with op.batch_alter_table("events", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("job_id", existing_type=sa.String(length=26), nullable=True)
