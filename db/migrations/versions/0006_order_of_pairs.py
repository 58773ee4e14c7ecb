"""pairs in code point order, independent of the server's language

Revision: 0006, after 0005
"""

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':  # SQLite's order is that of code points
        op.execute(
            'UPDATE run_pair SET label = other, other = label WHERE label COLLATE "C" > other'
        )


def downgrade() -> None:
    pass  # older versions look for pairs in this order, too
