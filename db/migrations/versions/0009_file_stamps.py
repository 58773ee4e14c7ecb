"""stamps that prove a file's content, empty for older files

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('episode', sa.Column('file_stamp', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('episode', 'file_stamp')
