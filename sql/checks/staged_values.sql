-- severity: fail
-- No staged row that goes live lacks a value that its table requires.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. A test proves that the columns are those of the contracts.
WITH nulls AS (
    SELECT 'artists' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE name IS NULL) AS name
        FROM staging.artists WHERE NOT deleted
    ) AS counts
    UNION ALL
    SELECT 'songs' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE artist_id IS NULL) AS artist_id,
            count(*) FILTER (WHERE duration IS NULL) AS duration
        FROM staging.songs WHERE NOT deleted
    ) AS counts
    UNION ALL
    SELECT 'users' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE last_seen_at IS NULL) AS last_seen_at
        FROM staging.users WHERE NOT deleted
    ) AS counts
    UNION ALL
    SELECT 'time' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE hour IS NULL) AS hour,
            count(*) FILTER (WHERE day IS NULL) AS day,
            count(*) FILTER (WHERE week IS NULL) AS week,
            count(*) FILTER (WHERE month IS NULL) AS month,
            count(*) FILTER (WHERE year IS NULL) AS year,
            count(*) FILTER (WHERE weekday IS NULL) AS weekday
        FROM staging.time WHERE NOT deleted
    ) AS counts
    UNION ALL
    SELECT 'songplays' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE start_time IS NULL) AS start_time,
            count(*) FILTER (WHERE user_id IS NULL) AS user_id,
            count(*) FILTER (WHERE level IS NULL) AS level,
            count(*) FILTER (WHERE session_id IS NULL) AS session_id,
            count(*) FILTER (WHERE item_in_session IS NULL) AS item_in_session,
            count(*) FILTER (WHERE song_title IS NULL) AS song_title,
            count(*) FILTER (WHERE artist_name IS NULL) AS artist_name
        FROM staging.songplays WHERE NOT deleted
    ) AS counts
    UNION ALL
    SELECT 'files' AS table_name, to_jsonb(counts) AS counts
    FROM (
        SELECT
            count(*) FILTER (WHERE kind IS NULL) AS kind,
            count(*) FILTER (WHERE status IS NULL) AS status,
            count(*) FILTER (WHERE size IS NULL) AS size,
            count(*) FILTER (WHERE modified_at IS NULL) AS modified_at,
            count(*) FILTER (WHERE lines IS NULL) AS lines,
            count(*) FILTER (WHERE accepted IS NULL) AS accepted,
            count(*) FILTER (WHERE repeated IS NULL) AS repeated,
            count(*) FILTER (WHERE rejected IS NULL) AS rejected,
            count(*) FILTER (WHERE batch_id IS NULL) AS batch_id,
            count(*) FILTER (WHERE ingested_at IS NULL) AS ingested_at
        FROM staging.files WHERE NOT deleted
    ) AS counts
)

SELECT nulls.table_name, counted.key AS column_name, counted.value::bigint AS violations
FROM nulls, jsonb_each_text(nulls.counts) AS counted
WHERE counted.value::bigint > 0
ORDER BY nulls.table_name, counted.key
