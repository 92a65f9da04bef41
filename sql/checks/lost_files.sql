-- severity: fail
-- Every file that is live is known to the lake; a lake rebuilt after files were archived lacks them, and would take their rows along.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. Taking a file out of the landing zone deletes nothing.
SELECT gone.path
FROM staging.files AS gone INNER JOIN ops.files AS live ON gone.path = live.path
WHERE gone.deleted
ORDER BY gone.path
