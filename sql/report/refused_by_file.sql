-- The files with most refused lines; those of some ingest batches first.
-- Identifiers: files, the record of files in the lake or in the warehouse; batches, a list of ids. Called by spark_jobs/report_page.py.
SELECT
    path AS file,
    lines,
    rejected AS refused,
    CASE WHEN batch_id IN ({batches}) THEN 'yes' ELSE 'no' END AS of_this_run
FROM {files}
WHERE rejected > 0
ORDER BY 4 DESC, 3 DESC, 1
LIMIT 10
