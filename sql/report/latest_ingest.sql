-- The ingest batch that read a file last.
-- Identifiers: files, the record of files in the lake or in the warehouse. Called by spark_jobs/report_page.py.
SELECT batch_id
FROM {files}
ORDER BY ingested_at DESC, batch_id DESC
LIMIT 1
