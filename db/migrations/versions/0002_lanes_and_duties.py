"""lanes of runs, and duties that one worker at a time does

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    lane = sa.Column('lane', sa.String(length=16), server_default='bulk', nullable=False)
    lanes = "lane IN ('interactive', 'bulk')"
    if op.get_bind().dialect.name == 'sqlite':
        # SQLite adds a column with its check, and no check alone; other ways copy the table.
        op.execute(
            "ALTER TABLE run ADD COLUMN lane VARCHAR(16) DEFAULT 'bulk' NOT NULL"
            f" CONSTRAINT ck_run_lane CHECK ({lanes})"
        )
    else:
        op.add_column('run', lane)
        op.create_check_constraint(op.f('ck_run_lane'), 'run', lanes)
    op.create_table('duty',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('worker', sa.Text(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_duty'))
    )


def downgrade() -> None:
    op.drop_table('duty')
    op.execute('ALTER TABLE run DROP COLUMN lane')  # and its check with it
