"""What `granary` and plain `sqlmesh` agree on, so that one of them writes at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Key of the advisory lock on the warehouse's database.
WRITER_LOCK = 0x6772616E2D777269
# One row while the lock is held: by whom, and since when its session is there.
WRITER_NOW = f"""
SELECT activity.application_name || ', since '
  || TO_CHAR(activity.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS') || ' UTC'
FROM pg_locks AS held
INNER JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted AND activity.datname = CURRENT_DATABASE()
  AND (held.classid::BIGINT << 32) + held.objid::BIGINT = {WRITER_LOCK}
"""
# For plain sqlmesh, which runs SQL only. To take it fails instead of waiting: what SQLMesh worked
# out before would be out of date by then.
WRITER_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION ops.take_writer_lock(who TEXT) RETURNS VOID LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT PG_TRY_ADVISORY_LOCK({WRITER_LOCK}) THEN
    RAISE EXCEPTION 'Another command writes: %. Nothing was changed.',
      COALESCE(({WRITER_NOW}), 'one that has just ended')
      USING HINT = 'Run the command again when it is done; `granary doctor` tells who works.';
  END IF;
  PERFORM SET_CONFIG('application_name', who, FALSE);
END
$body$;
CREATE OR REPLACE FUNCTION ops.release_writer_lock() RETURNS BOOLEAN LANGUAGE sql
  AS $body$ SELECT PG_ADVISORY_UNLOCK({WRITER_LOCK}) $body$;
"""
# Tells macros/writer.py that its own process holds the lock already.
WRITER_PROCESS = "GRANARY_WRITER_PROCESS"


@contextmanager
def writing_here() -> Iterator[None]:
    """Let the macros of this process know that it is the writer."""
    os.environ[WRITER_PROCESS] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(WRITER_PROCESS, None)
