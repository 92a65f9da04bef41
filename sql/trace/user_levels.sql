-- A user's levels as seen on plays, in order of time.
-- Parameters: user_id. Called by spark_jobs/warehouse/provenance.py.
SELECT level, valid_from, valid_to
FROM dwh.user_levels
WHERE user_id = %(user_id)s
ORDER BY valid_from
