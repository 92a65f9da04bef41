-- severity: fail
-- A batch does not delete more than max_deleted_share and also more than max_deleted_rows of the rows of a live table.
-- Parameters: max_deleted_share, max_deleted_rows. Called by spark_jobs/warehouse/check.py.
--
-- Compares with the row count that publish keeps, since counting a large live table would cost more than the batch.
WITH deletions AS (
    SELECT 'artists' AS table_name, count(*) AS row_count
    FROM staging.artists AS gone INNER JOIN dwh.artists AS live ON gone.artist_id = live.artist_id
    WHERE gone.deleted
    UNION ALL
    SELECT 'songs', count(*)
    FROM staging.songs AS gone INNER JOIN dwh.songs AS live ON gone.song_id = live.song_id
    WHERE gone.deleted
    UNION ALL
    SELECT 'users', count(*)
    FROM staging.users AS gone INNER JOIN dwh.users AS live ON gone.user_id = live.user_id
    WHERE gone.deleted
    UNION ALL
    SELECT 'time', count(*)
    FROM staging.time AS gone INNER JOIN dwh.time AS live ON gone.start_time = live.start_time
    WHERE gone.deleted
    UNION ALL
    SELECT 'songplays', count(*)
    FROM staging.songplays AS gone INNER JOIN dwh.songplays AS live ON gone.songplay_id = live.songplay_id
    WHERE gone.deleted
    UNION ALL
    SELECT 'files', count(*)
    FROM staging.files AS gone INNER JOIN ops.files AS live ON gone.path = live.path
    WHERE gone.deleted
)

SELECT
    table_name,
    deletions.row_count AS deleted,
    coalesce(published.row_count, 0) AS live,
    round(deletions.row_count::numeric / nullif(published.row_count, 0), 4) AS share,
    %(max_deleted_share)s::numeric AS allowed,
    deletions.row_count AS violations
FROM deletions LEFT JOIN ops.published USING (table_name)
WHERE
    deletions.row_count > %(max_deleted_rows)s
    AND deletions.row_count > %(max_deleted_share)s::numeric * coalesce(published.row_count, 0)
ORDER BY table_name
