-- Record a run of the model; a state of the lake that comes again, from a backup, takes its earlier run's place.
-- The latest published_at tells which run is live, so it is later than all before also where the server's clock was set back; by a second,
-- since the report tells runs apart by that.
-- Parameters: the columns of ops.model_runs but published_at. Called by spark_jobs/warehouse/recommendations.py.
INSERT INTO ops.model_runs AS held (
    model_version, chosen, reason, delta_table_id, delta_version, params, metrics, judged_users, row_count, seconds, started_at,
    published_at
)
VALUES (
    %(model_version)s, %(chosen)s, %(reason)s, %(delta_table_id)s, %(delta_version)s, %(params)s, %(metrics)s, %(judged_users)s,
    %(row_count)s, %(seconds)s, %(started_at)s,
    greatest(now(), (SELECT max(published_at) + interval '1 second' FROM ops.model_runs))
)
ON CONFLICT (model_version) DO UPDATE
    SET
        reason = excluded.reason,
        params = excluded.params,
        metrics = excluded.metrics,
        judged_users = excluded.judged_users,
        row_count = excluded.row_count,
        seconds = excluded.seconds,
        started_at = excluded.started_at,
        published_at = excluded.published_at;
