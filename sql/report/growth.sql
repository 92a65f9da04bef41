-- Rows of each table of dwh after each of the latest published loads, oldest first.
-- Parameters: loads. Called by spark_jobs/report_page.py.
WITH latest AS (
    SELECT batch_id, published_at, changes
    FROM ops.batches
    WHERE status = 'published'
    ORDER BY published_at DESC
    LIMIT %(loads)s
)

SELECT
    batch_id AS load,
    published_at,
    (changes -> 'songplays' ->> 'after')::bigint AS songplays,
    (changes -> 'users' ->> 'after')::bigint AS users,
    (changes -> 'songs' ->> 'after')::bigint AS songs,
    (changes -> 'artists' ->> 'after')::bigint AS artists,
    (changes -> 'time' ->> 'after')::bigint AS time
FROM latest
ORDER BY published_at, batch_id
