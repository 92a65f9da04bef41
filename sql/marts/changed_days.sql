-- The UTC days whose runs of plays a batch changes, as the live plays stand before it is applied. What makes up songplay_id cannot change.
-- Parameters: none. Called by spark_jobs/warehouse/marts.py.
SELECT DISTINCT (coalesce(staged.start_time, live.start_time) AT TIME ZONE 'UTC')::date AS day
FROM staging.songplays AS staged
LEFT JOIN dwh.songplays AS live ON staged.songplay_id = live.songplay_id
WHERE
    CASE
        WHEN staged.deleted THEN live.songplay_id IS NOT NULL
        ELSE live.songplay_id IS NULL OR (live.level, live.length) IS DISTINCT FROM (staged.level, staged.length)
    END
