-- Files and lines that came with some ingest batches, by kind.
-- Identifiers: files, the record of files in the lake or in the warehouse; batches, a list of ids. Called by spark_jobs/report_page.py.
SELECT
    kind,
    count(*) AS files,
    count(*) FILTER (WHERE status = 'unreadable') AS unreadable,
    sum(lines)::bigint AS lines,
    sum(accepted)::bigint AS accepted,
    sum(repeated)::bigint AS repeated,
    sum(rejected)::bigint AS rejected
FROM {files}
WHERE batch_id IN ({batches})
GROUP BY kind
ORDER BY kind
