"""totals of a run's appearances, and the season in an episode's name

Revision: 0004, after 0003
"""

import re

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

# `S05E12` as files of series are named, not as a part of a word.
SEASON = re.compile(r'(?<![a-z0-9])s([0-9]{1,3})[ ._-]?e[0-9]', re.IGNORECASE)

PER_LABEL = """
INSERT INTO run_label (run_id, label, appearances, seconds, first_pts)
SELECT run_id, label, count(*), sum(end_seconds - start_seconds), min(start_pts)
FROM appearance GROUP BY run_id, label
"""

PER_PAIR = """
INSERT INTO run_pair (run_id, label, other, times, seconds)
SELECT one.run_id, one.label, other.label, count(*),
       sum(CASE WHEN one.end_pts < other.end_pts THEN one.end_pts ELSE other.end_pts END
           - CASE WHEN one.start_pts > other.start_pts THEN one.start_pts ELSE other.start_pts END)
       * min(CAST(episode.time_base_num AS FLOAT) / episode.time_base_den)
FROM appearance AS one
JOIN appearance AS other ON other.run_id = one.run_id AND one.label < other.label
    AND one.start_pts < other.end_pts AND other.start_pts < one.end_pts
JOIN episode ON episode.id = one.episode_id
GROUP BY one.run_id, one.label, other.label
"""


def upgrade() -> None:
    op.add_column('episode', sa.Column('season', sa.Integer(), nullable=True))
    op.create_index(op.f('ix_episode_season'), 'episode', ['season'], unique=False)
    op.create_table('run_label',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('appearances', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('first_pts', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_label_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'label', name=op.f('pk_run_label'))
    )
    op.create_index(op.f('ix_run_label_label_run_id'), 'run_label', ['label', 'run_id'], unique=False)
    op.create_table('run_pair',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('other', sa.String(length=64), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_pair_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'label', 'other', name=op.f('pk_run_pair'))
    )
    op.create_index(op.f('ix_run_pair_label_other_run_id_times_seconds'), 'run_pair', ['label', 'other', 'run_id', 'times', 'seconds'], unique=False)
    op.create_index(op.f('ix_run_pair_other'), 'run_pair', ['other'], unique=False)
    op.execute(PER_LABEL)
    op.execute(PER_PAIR)
    _fill_seasons()


def downgrade() -> None:
    op.drop_table('run_pair')
    op.drop_table('run_label')
    op.drop_index(op.f('ix_episode_season'), table_name='episode')
    op.drop_column('episode', 'season')


def _fill_seasons() -> None:
    episode = sa.table('episode', sa.column('id'), sa.column('name'), sa.column('season'))
    connection = op.get_bind()
    for row in connection.execute(sa.select(episode.c.id, episode.c.name)).all():
        found = SEASON.search(row.name)
        if found:
            connection.execute(
                sa.update(episode).where(episode.c.id == row.id).values(season=int(found[1]))
            )
