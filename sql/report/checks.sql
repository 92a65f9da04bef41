-- What the gate found about a load, what failed first, and who overruled it.
-- Parameters: batch_id. Called by spark_jobs/report_page.py, spark_jobs/warehouse/provenance.py.
SELECT
    CASE WHEN result.passed THEN 'passed' WHEN result.severity = 'fail' THEN 'FAILED' ELSE 'warns' END AS result,
    result.check_name AS "check",
    nullif(concat_ws('; ', result.detail, 'overruled by ' || acceptance.accepted_by || ': ' || acceptance.reason), '') AS detail,
    result.severity,
    result.violations AS found
FROM ops.check_results AS result
LEFT JOIN ops.acceptances AS acceptance ON result.batch_id = acceptance.batch_id AND result.check_name = acceptance.check_name
WHERE result.batch_id = %(batch_id)s
ORDER BY result.passed, result.severity, result.check_name
