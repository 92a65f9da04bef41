-- Sessions that hold what a job may have waited for: any table of staging, or one of dwh and ops other than for plain reading,
-- which stands in the way of an upgrade alone. Autovacuum, which has no user, gives way by itself.
-- Parameters: readers (whether plain readers are asked for too). Called by spark_jobs/warehouse/failures.py after a lock timeout.
-- What this user may not see is null.
SELECT
    held.pid,
    activity.usename,
    activity.application_name,
    host(activity.client_addr) AS client_address,
    to_char(activity.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since,
    string_agg(DISTINCT held.relation::regclass::text, ', ') AS tables
FROM pg_locks AS held
INNER JOIN pg_class AS relation ON held.relation = relation.oid
INNER JOIN pg_stat_activity AS activity ON held.pid = activity.pid
WHERE
    held.granted
    AND held.locktype = 'relation'
    AND held.database = (SELECT pg_database.oid FROM pg_database WHERE pg_database.datname = current_database())
    AND held.pid <> pg_backend_pid()
    AND activity.usename IS NOT NULL
    AND relation.relkind IN ('r', 'v')
    AND (
        relation.relnamespace = to_regnamespace('staging')
        OR (relation.relnamespace IN (to_regnamespace('dwh'), to_regnamespace('ops')) AND (held.mode <> 'AccessShareLock' OR %(readers)s))
    )
GROUP BY held.pid, activity.usename, activity.application_name, activity.client_addr, activity.xact_start
ORDER BY held.pid
