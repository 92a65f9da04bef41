-- Files that cannot be read, and why; those of some ingest batches first.
-- Identifiers: files, the record of files in the lake or in the warehouse; batches, a list of ids. Called by spark_jobs/report_page.py.
SELECT
    path AS file,
    cause,
    CASE WHEN batch_id IN ({batches}) THEN 'yes' ELSE 'no' END AS of_this_run
FROM {files}
WHERE status = 'unreadable'
ORDER BY 3 DESC, 1
LIMIT 20
