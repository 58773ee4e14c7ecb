"""requests for runs, retried runs, and bundled models

Queries see the same as before: of each model, the current run counts as requested last.

Revision: 0014, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run', sa.Column('asked', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('run', sa.Column('keeps_partial', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('promotion', sa.Column('bundled', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute('UPDATE run SET asked = id')
    op.execute(
        'UPDATE run SET asked = (SELECT max(id) + 1 FROM run)'
        ' WHERE id IN (SELECT run_id FROM current_run)'
    )
    # Only a run that had ended in part is offered again while it is shown.
    op.execute(
        "UPDATE run SET keeps_partial = (1 = 1) WHERE state IN ('queued', 'running', 'cancelled')"
        ' AND id IN (SELECT run_id FROM current_run)'
    )
    # Promotions by users are measured or forced.
    op.execute('UPDATE promotion SET bundled = (requirement IS NULL AND NOT forced)')


def downgrade() -> None:
    op.drop_column('promotion', 'bundled')
    op.drop_column('run', 'keeps_partial')
    op.drop_column('run', 'asked')
