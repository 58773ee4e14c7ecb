"""display names of labels, empty for older models

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('model_version', sa.Column('names', sa.Text(), nullable=False, server_default='{}'))


def downgrade() -> None:
    op.drop_column('model_version', 'names')
