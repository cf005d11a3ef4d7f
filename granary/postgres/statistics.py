"""The planner's statistics, refreshed where a model changed enough of its table."""

# Counts what the running transaction changed as well, which the server adds up only at its end.
# It adds that up even when this refreshed the statistics, so the next small change may do so again.
STATISTICS_FUNCTION = """
CREATE OR REPLACE FUNCTION ops.analyze_changed(changed REGCLASS) RETURNS VOID LANGUAGE plpgsql
AS $body$
DECLARE
  known REAL := (SELECT reltuples FROM pg_class WHERE oid = changed);
  changes BIGINT := COALESCE(PG_STAT_GET_MOD_SINCE_ANALYZE(changed), 0)
    + COALESCE(PG_STAT_GET_XACT_TUPLES_INSERTED(changed), 0)
    + COALESCE(PG_STAT_GET_XACT_TUPLES_UPDATED(changed), 0)
    + COALESCE(PG_STAT_GET_XACT_TUPLES_DELETED(changed), 0);
BEGIN
  IF known <= 0 OR changes > known / 10 THEN
    EXECUTE FORMAT('ANALYZE %s', changed);
  END IF;
END
$body$;
"""
