-- severity: fail
-- Staging holds exactly as many rows of each table as Spark wrote.
-- Parameters: batch_id. Called by spark_jobs/warehouse/check.py.
WITH staged AS (
    SELECT 'artists' AS table_name, count(*) AS row_count FROM staging.artists
    UNION ALL
    SELECT 'songs', count(*) FROM staging.songs
    UNION ALL
    SELECT 'users', count(*) FROM staging.users
    UNION ALL
    SELECT 'time', count(*) FROM staging.time
    UNION ALL
    SELECT 'songplays', count(*) FROM staging.songplays
    UNION ALL
    SELECT 'files', count(*) FROM staging.files
),

expected AS (
    SELECT counts.key AS table_name, counts.value::bigint AS row_count
    FROM ops.batches AS batch, jsonb_each_text(batch.expected) AS counts
    WHERE batch.batch_id = %(batch_id)s
)

SELECT
    table_name,
    coalesce(expected.row_count, 0) AS written,
    coalesce(staged.row_count, 0) AS staged,
    abs(coalesce(expected.row_count, 0) - coalesce(staged.row_count, 0)) AS violations
FROM staged FULL JOIN expected USING (table_name)
WHERE coalesce(expected.row_count, 0) <> coalesce(staged.row_count, 0)
ORDER BY table_name
