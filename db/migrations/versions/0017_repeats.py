"""ranges of episodes that recur in others of their series

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('repeat_search',
    sa.Column('episode_id', ROW_ID, autoincrement=False, nullable=False),
    sa.Column('compared', sa.Integer(), nullable=False),
    sa.Column('searched_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_repeat_search_episode_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('episode_id', name=op.f('pk_repeat_search'))
    )
    op.create_table('repeat',
    sa.Column('episode_id', ROW_ID, autoincrement=False, nullable=False),
    sa.Column('start_pts', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('start_pts < end_pts', name=op.f('ck_repeat_range')),
    sa.ForeignKeyConstraint(['episode_id'], ['repeat_search.episode_id'], name=op.f('fk_repeat_episode_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('episode_id', 'start_pts', name=op.f('pk_repeat'))
    )
    op.create_table('repeat_elsewhere',
    sa.Column('episode_id', ROW_ID, autoincrement=False, nullable=False),
    sa.Column('start_pts', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('other_id', ROW_ID, autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['episode_id', 'start_pts'], ['repeat.episode_id', 'repeat.start_pts'], name=op.f('fk_repeat_elsewhere_episode_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['other_id'], ['episode.id'], name=op.f('fk_repeat_elsewhere_other_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('episode_id', 'start_pts', 'other_id', name=op.f('pk_repeat_elsewhere'))
    )
    op.create_index(op.f('ix_repeat_elsewhere_other_id'), 'repeat_elsewhere', ['other_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_repeat_elsewhere_other_id'), table_name='repeat_elsewhere')
    op.drop_table('repeat_elsewhere')
    op.drop_table('repeat')
    op.drop_table('repeat_search')
