"""statistics of work on a run

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('run_effort',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=16), nullable=False),
    sa.Column('amount', sa.Float(), nullable=False),
    sa.CheckConstraint("name IN ('decode', 'read', 'device', 'database', 'frames', 'places')", name=op.f('ck_run_effort_name')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_effort_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'name', name=op.f('pk_run_effort'))
    )


def downgrade() -> None:
    op.drop_table('run_effort')
