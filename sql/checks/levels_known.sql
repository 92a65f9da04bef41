-- severity: fail
-- A level is free or paid; a user's may also be unknown.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
SELECT 'songplays' AS table_name, level, count(*) AS violations
FROM staging.songplays WHERE NOT deleted AND level NOT IN ('free', 'paid') GROUP BY level
UNION ALL
SELECT 'users', level, count(*)
FROM staging.users WHERE NOT deleted AND level NOT IN ('free', 'paid') GROUP BY level
