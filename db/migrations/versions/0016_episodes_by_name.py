"""what people call episodes, now and before; runs over a part of an episode

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from db.episode_names import EpisodeName

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

# Columns are added behind the others: what reads them by position goes on doing so.
TIMELINE_VIEW = """
timeline AS
SELECT episode.name AS episode,
       appearance.label AS label,
       appearance.start_seconds AS start_seconds,
       appearance.end_seconds AS end_seconds,
       appearance.mean_confidence AS confidence,
       model_version.name || '@' || model_version.version AS model,
       episode.id AS episode_id,
       episode.series AS series,
       episode.season AS season,
       episode.number AS number,
       episode.title AS title
FROM current_run
JOIN run ON run.id = current_run.run_id
JOIN episode ON episode.id = run.episode_id
JOIN model_version ON model_version.id = run.model_version_id
JOIN appearance ON appearance.run_id = run.id
"""

TIMELINE_VIEW_BEFORE = """
timeline AS
SELECT episode.name AS episode,
       appearance.label AS label,
       appearance.start_seconds AS start_seconds,
       appearance.end_seconds AS end_seconds,
       appearance.mean_confidence AS confidence,
       model_version.name || '@' || model_version.version AS model
FROM current_run
JOIN run ON run.id = current_run.run_id
JOIN episode ON episode.id = run.episode_id
JOIN model_version ON model_version.id = run.model_version_id
JOIN appearance ON appearance.run_id = run.id
"""

NAMES = ('series', 'season', 'number', 'title')


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    if is_sqlite:  # which cannot replace a view, nor change a table below one
        op.execute('DROP VIEW timeline')
    op.add_column('episode', sa.Column('series', sa.Text(), nullable=True))
    op.add_column('episode', sa.Column('number', sa.Integer(), nullable=True))
    op.add_column('episode', sa.Column('title', sa.Text(), nullable=True))
    op.add_column('run', sa.Column('part_start_pts', sa.BigInteger(), nullable=True))
    op.add_column('run', sa.Column('part_end_pts', sa.BigInteger(), nullable=True))
    op.create_table('former_name',
    sa.Column('episode_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_former_name_episode_id')),
    sa.PrimaryKeyConstraint('episode_id', 'uri', name=op.f('pk_former_name'))
    )
    op.create_index(op.f('ix_former_name_name'), 'former_name', ['name'], unique=False)
    _fill_names()
    # Replaced and not dropped: who was granted to read it goes on doing so.
    op.execute(f"CREATE {'VIEW' if is_sqlite else 'OR REPLACE VIEW'} {TIMELINE_VIEW}")


def downgrade() -> None:
    op.execute('DROP VIEW timeline')
    op.drop_index(op.f('ix_former_name_name'), table_name='former_name')
    op.drop_table('former_name')
    op.drop_column('run', 'part_end_pts')
    op.drop_column('run', 'part_start_pts')
    op.drop_column('episode', 'title')
    op.drop_column('episode', 'number')
    op.drop_column('episode', 'series')
    op.execute(f'CREATE VIEW {TIMELINE_VIEW_BEFORE}')


def _fill_names() -> None:
    """Reads the paths of all episodes; a season that is known stays."""
    episode = sa.table('episode', *map(sa.column, ('id', 'uri', *NAMES)))
    connection = op.get_bind()
    for row in connection.execute(sa.select(episode.c.id, episode.c.uri, episode.c.season)).all():
        told = EpisodeName.told_by(row.uri)
        if told == EpisodeName():
            continue
        values = {name: getattr(told, name) for name in NAMES}
        if row.season is not None:
            values['season'] = row.season
        connection.execute(sa.update(episode).where(episode.c.id == row.id).values(**values))
