-- severity: warn
-- Every file of the landing zone could be read, this batch's and those before.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. Unreadable files are tried again in every run.
SELECT path, cause
FROM staging.files
WHERE NOT deleted AND status = 'unreadable'
UNION ALL
SELECT live.path, live.cause
FROM ops.files AS live
WHERE
    live.status = 'unreadable'
    AND NOT EXISTS (SELECT 1 FROM staging.files AS staged WHERE staged.path = live.path)
ORDER BY path
