"""the first schema

Revision: 0001, the root.
"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


TIMELINE_VIEW = """
CREATE VIEW timeline AS
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


def upgrade() -> None:
    op.create_table('episode',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('modified_ns', sa.BigInteger(), nullable=False),
    sa.Column('container', sa.Text(), nullable=False),
    sa.Column('codec', sa.Text(), nullable=False),
    sa.Column('pixel_format', sa.Text(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('rotation', sa.Integer(), nullable=False),
    sa.Column('sample_aspect_num', sa.Integer(), nullable=False),
    sa.Column('sample_aspect_den', sa.Integer(), nullable=False),
    sa.Column('lag_pts', sa.BigInteger(), nullable=True),
    sa.Column('frame_rate_num', sa.BigInteger(), nullable=False),
    sa.Column('frame_rate_den', sa.BigInteger(), nullable=False),
    sa.Column('rate_varies', sa.Boolean(), nullable=False),
    sa.Column('time_base_num', sa.BigInteger(), nullable=False),
    sa.Column('time_base_den', sa.BigInteger(), nullable=False),
    sa.Column('start_pts', sa.BigInteger(), nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.Column('duration_seconds', sa.Float(), nullable=False),
    sa.Column('area_x', sa.Integer(), nullable=False),
    sa.Column('area_y', sa.Integer(), nullable=False),
    sa.Column('area_width', sa.Integer(), nullable=False),
    sa.Column('area_height', sa.Integer(), nullable=False),
    sa.Column('key_pts', sa.Text(), nullable=False),
    sa.Column('missing', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_episode')),
    sa.UniqueConstraint('sha256', name=op.f('uq_episode_sha256'))
    )
    op.create_index(op.f('ix_episode_name'), 'episode', ['name'], unique=False)
    op.create_table('model_version',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('labels', sa.Text(), nullable=False),
    sa.Column('preprocessing', sa.Text(), nullable=False),
    sa.Column('metrics', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('promoted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_version')),
    sa.UniqueConstraint('sha256', name=op.f('uq_model_version_sha256'))
    )
    op.create_table('run',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('episode_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('model_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('params', sa.Text(), nullable=False),
    sa.Column('params_hash', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('chunks_total', sa.Integer(), nullable=False),
    sa.Column('chunks_done', sa.Integer(), nullable=False),
    sa.Column('frames', sa.Integer(), nullable=False),
    sa.Column('decode_errors', sa.Integer(), nullable=False),
    sa.Column('missing', sa.Text(), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('queued', 'running', 'done', 'partial', 'failed', 'cancelled')", name=op.f('ck_run_state')),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_run_episode_id')),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_run_model_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run')),
    sa.UniqueConstraint('episode_id', 'model_version_id', 'params_hash', name=op.f('uq_run_episode_id_model_version_id_params_hash'))
    )
    op.create_table('appearance',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('start_pts', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.Column('episode_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('start_seconds', sa.Float(), nullable=False),
    sa.Column('end_seconds', sa.Float(), nullable=False),
    sa.Column('frames', sa.Integer(), nullable=False),
    sa.Column('mean_confidence', sa.Float(), nullable=False),
    sa.Column('max_confidence', sa.Float(), nullable=False),
    sa.CheckConstraint('start_pts < end_pts', name=op.f('ck_appearance_range')),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_appearance_episode_id')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_appearance_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'label', 'start_pts', name=op.f('pk_appearance'))
    )
    op.create_index(op.f('ix_appearance_label_run_id'), 'appearance', ['label', 'run_id'], unique=False)
    op.create_table('chunk',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('start_pts', sa.BigInteger(), nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('losses', sa.Integer(), nullable=False),
    sa.Column('token', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('sampled_pts', sa.Text(), nullable=True),
    sa.Column('frames_decoded', sa.Integer(), nullable=False),
    sa.Column('decode_errors', sa.Integer(), nullable=False),
    sa.Column('missing', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('queued', 'extracted', 'tagged', 'quarantined')", name=op.f('ck_chunk_state')),
    sa.CheckConstraint('start_pts < end_pts', name=op.f('ck_chunk_range')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_chunk_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chunk')),
    sa.UniqueConstraint('run_id', 'number', name=op.f('uq_chunk_run_id_number'))
    )
    op.create_index(op.f('ix_chunk_state_run_id'), 'chunk', ['state', 'run_id'], unique=False)
    op.create_table('current_run',
    sa.Column('episode_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_current_run_episode_id')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_current_run_run_id')),
    sa.PrimaryKeyConstraint('episode_id', name=op.f('pk_current_run')),
    sa.UniqueConstraint('run_id', name=op.f('uq_current_run_run_id'))
    )
    op.create_table('tag',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pts', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('region', sa.String(length=16), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_tag_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'pts', 'label', name=op.f('pk_tag'))
    )
    op.execute(TIMELINE_VIEW)


def downgrade() -> None:
    op.execute('DROP VIEW timeline')
    op.drop_table('tag')
    op.drop_table('current_run')
    op.drop_index(op.f('ix_chunk_state_run_id'), table_name='chunk')
    op.drop_table('chunk')
    op.drop_index(op.f('ix_appearance_label_run_id'), table_name='appearance')
    op.drop_table('appearance')
    op.drop_table('run')
    op.drop_table('model_version')
    op.drop_index(op.f('ix_episode_name'), table_name='episode')
    op.drop_table('episode')
