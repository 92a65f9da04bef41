-- The failed checks of a batch that nobody has overruled.
-- Parameters: batch_id. Called by spark_jobs/warehouse/publish.py and accept.py.
SELECT result.check_name
FROM ops.check_results AS result
WHERE
    result.batch_id = %(batch_id)s
    AND result.severity = 'fail'
    AND NOT result.passed
    AND NOT EXISTS (
        SELECT 1 FROM ops.acceptances AS acceptance
        WHERE acceptance.batch_id = result.batch_id AND acceptance.check_name = result.check_name
    )
ORDER BY result.check_name
