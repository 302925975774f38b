"""Keys, usage, reservations and the audit trail.

Column types are spelt out here and not imported from `tables`, so that the revision never changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("api_key", sa.String(255), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.String(255), nullable=False),
        sa.Column("previous_secret_hash", sa.String(255)),
        sa.Column("previous_secret_until", _MOMENT),
        sa.Column("profile", sa.String(20)),
        sa.Column("quota", sa.Integer()),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("rate_limit", sa.Integer()),
        sa.Column("expires_at", _MOMENT),
        sa.Column("disabled_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("api_key", name=op.f("uq_api_keys_api_key")),
        sa.CheckConstraint("period IN ('total', 'day', 'month')", name=op.f("ck_api_keys_period")),
        sa.CheckConstraint("profile IN ('documented', 'observed')", name=op.f("ck_api_keys_profile")),
        sa.CheckConstraint("quota >= 0", name=op.f("ck_api_keys_quota")),
        sa.CheckConstraint("rate_limit >= 1", name=op.f("ck_api_keys_rate_limit")),
    )
    op.create_table(
        "usage",
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", _ID, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "day", name=op.f("pk_usage")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_usage_key_id")),
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_reservations_key_id")),
    )
    op.create_index(op.f("ix_reservations_key_id_expires_at"), "reservations", ["key_id", "expires_at"])
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("api_key", sa.String(255), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_api_key"), "audit", ["api_key"])


def downgrade() -> None:
    """Drop the tables, and with them every key."""
    for table in ("audit", "reservations", "usage", "api_keys"):
        op.drop_table(table)
