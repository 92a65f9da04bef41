-- Stops the load unless Redshift stands where its changes begin: a division by zero undoes the transaction.
-- Filled in by spark_jobs/warehouse/redshift.py. Redshift has no advisory locks; the lock lets one load through at a time.
LOCK ops.published;
SELECT 1 / CASE WHEN count(*) = {tables} THEN 1 ELSE 0 END AS base_is_live
FROM ops.published
WHERE {base};
