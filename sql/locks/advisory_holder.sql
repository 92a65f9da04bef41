-- The session that holds one of Songlake's advisory locks in this database.
-- Parameters: lock_class, lock_number. Called by spark_jobs/warehouse/lock.py. What this user may not see is null.
SELECT
    held.pid,
    activity.usename,
    activity.application_name,
    host(activity.client_addr) AS client_address,
    to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
FROM pg_locks AS held
LEFT JOIN pg_stat_activity AS activity ON held.pid = activity.pid
WHERE
    held.locktype = 'advisory'
    AND held.granted
    AND held.database = (SELECT pg_database.oid FROM pg_database WHERE pg_database.datname = current_database())
    -- Locks of two numbers are marked with 2.
    AND held.objsubid = 2
    AND held.classid = %(lock_class)s
    AND held.objid = %(lock_number)s
