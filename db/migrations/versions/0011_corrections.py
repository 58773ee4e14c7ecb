"""what people said of a timeline, and what models found by themselves where they said something

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column(
        'appearance',
        sa.Column('is_corrected', sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table('correction',
    sa.Column('id', ROW_ID, nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('start_pts', sa.BigInteger(), nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.Column('other', sa.String(length=64), nullable=True),
    sa.Column('part_start_pts', sa.BigInteger(), nullable=True),
    sa.Column('part_end_pts', sa.BigInteger(), nullable=True),
    sa.Column('supersedes', sa.String(length=32), nullable=True),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('model', sa.Text(), nullable=True),
    sa.Column('confidence', sa.Float(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('start_pts < end_pts', name=op.f('ck_correction_range')),
    sa.CheckConstraint(
        "verdict IN ('right', 'wrong', 'relabel', 'add', 'trim', 'undo')",
        name=op.f('ck_correction_verdict'),
    ),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_correction')),
    sa.UniqueConstraint('key', name=op.f('uq_correction_key'))
    )
    for column in ('label', 'other', 'sha256'):
        op.create_index(op.f(f'ix_correction_{column}'), 'correction', [column], unique=False)
    op.create_table('corrected_run',
    sa.Column('run_id', ROW_ID, autoincrement=False, nullable=False),
    sa.Column('corrections', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_corrected_run_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_corrected_run'))
    )
    op.create_table('raw_appearance',
    sa.Column('run_id', ROW_ID, nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('start_pts', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('end_pts', sa.BigInteger(), nullable=False),
    sa.Column('episode_id', ROW_ID, nullable=False),
    sa.Column('start_seconds', sa.Float(), nullable=False),
    sa.Column('end_seconds', sa.Float(), nullable=False),
    sa.Column('frames', sa.Integer(), nullable=False),
    sa.Column('mean_confidence', sa.Float(), nullable=False),
    sa.Column('max_confidence', sa.Float(), nullable=False),
    sa.Column('is_corrected', sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.CheckConstraint('start_pts < end_pts', name=op.f('ck_raw_appearance_range')),
    sa.ForeignKeyConstraint(['episode_id'], ['episode.id'], name=op.f('fk_raw_appearance_episode_id')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_raw_appearance_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'label', 'start_pts', name=op.f('pk_raw_appearance'))
    )
    op.create_index(op.f('ix_raw_appearance_label_run_id'), 'raw_appearance', ['label', 'run_id'], unique=False)
    op.create_table('raw_run_label',
    sa.Column('run_id', ROW_ID, nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('appearances', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('first_pts', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_raw_run_label_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'label', name=op.f('pk_raw_run_label'))
    )
    op.create_index(op.f('ix_raw_run_label_label_run_id'), 'raw_run_label', ['label', 'run_id'], unique=False)
    op.create_table('raw_run_pair',
    sa.Column('run_id', ROW_ID, nullable=False),
    sa.Column('label', sa.String(length=64), nullable=False),
    sa.Column('other', sa.String(length=64), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_raw_run_pair_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'label', 'other', name=op.f('pk_raw_run_pair'))
    )
    op.create_index(op.f('ix_raw_run_pair_label_other_run_id_times_seconds'), 'raw_run_pair', ['label', 'other', 'run_id', 'times', 'seconds'], unique=False)
    op.create_index(op.f('ix_raw_run_pair_other'), 'raw_run_pair', ['other'], unique=False)


def downgrade() -> None:
    for table in ('raw_run_pair', 'raw_run_label', 'raw_appearance', 'corrected_run', 'correction'):
        op.drop_table(table)
    op.drop_column('appearance', 'is_corrected')
