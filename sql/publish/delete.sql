-- Takes away the live rows whose keys a batch deletes.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py.
DELETE FROM {live} AS live
USING {staged} AS staged
WHERE staged.deleted AND {same_key}
