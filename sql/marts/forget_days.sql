-- Takes the runs of plays of some UTC days away.
-- Parameters: days. Called by spark_jobs/warehouse/marts.py.
DELETE FROM dwh.kept_play_runs AS kept
USING unnest(%(days)s::date[]) AS days (day)
WHERE kept.started_at >= days.day::timestamp AT TIME ZONE 'UTC' AND kept.started_at < (days.day + 1)::timestamp AT TIME ZONE 'UTC'
