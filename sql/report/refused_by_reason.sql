-- Refused lines of the lake by reason, those of some ingest batches and all; a line with two reasons counts under both.
-- Identifiers: batches, a list of ids. Asked of the lake by spark_jobs/report_page.py.
WITH refused AS (
    SELECT batch_id, unnest(reasons) AS reason
    FROM rejects
)

SELECT
    reason,
    count(*) FILTER (WHERE batch_id IN ({batches})) AS of_this_run,
    count(*) AS of_all_files
FROM refused
GROUP BY reason
ORDER BY of_this_run DESC, of_all_files DESC, reason ASC
