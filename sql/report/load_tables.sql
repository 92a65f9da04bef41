-- What a load brought: for each table the rows it staged, what publishing changed (null before that) and the rows that are live now.
-- Parameters: batch_id. Called by spark_jobs/report_page.py.
SELECT
    expected.table_name AS table,
    expected.staged::bigint AS staged,
    (batches.changes -> expected.table_name ->> 'inserted')::bigint AS inserted,
    (batches.changes -> expected.table_name ->> 'updated')::bigint AS updated,
    (batches.changes -> expected.table_name ->> 'deleted')::bigint AS deleted,
    coalesce(published.row_count, 0) AS live_rows
FROM ops.batches AS batches
CROSS JOIN LATERAL jsonb_each_text(batches.expected) AS expected (table_name, staged)
LEFT JOIN ops.published AS published ON expected.table_name = published.table_name
WHERE batches.batch_id = %(batch_id)s
ORDER BY expected.table_name
