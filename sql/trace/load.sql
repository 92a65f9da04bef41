-- What became of one load.
-- Parameters: batch_id. Called by spark_jobs/warehouse/provenance.py.
SELECT batch_id, status, started_at, checked_at, published_at
FROM ops.batches
WHERE batch_id = %(batch_id)s
