-- The loads that one transaction published. publish writes rows and its books in one transaction, so the load that wrote a row is told
-- by that, exactly; in a database that was copied or restored since, no load or not just one is found.
-- Parameters: written_by. Called by spark_jobs/warehouse/provenance.py.
SELECT batch_id
FROM ops.batches
WHERE status = 'published' AND xmin::text = %(written_by)s
