"""places of labels in the picture, unknown for older runs

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

COLUMNS = ('place_x', 'place_y', 'place_width', 'place_height')


def upgrade() -> None:
    for name in COLUMNS:  # without a default: neither database rewrites the rows
        op.add_column('tag', sa.Column(name, sa.Float(), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column('tag', name)
