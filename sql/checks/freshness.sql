-- severity: warn
-- New event files bring plays newer than the newest live one.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
--
-- Compared with what is live and not with the clock, so that loading old files is no alarm, and a player that sends the same day
-- again under a new name is.
WITH newest AS (
    SELECT
        (SELECT max(start_time) FROM staging.songplays WHERE NOT deleted) AS staged_play,
        (SELECT max(start_time) FROM dwh.time) AS live_play
),

arrived AS (
    SELECT count(*) AS new_files
    FROM staging.files AS staged
    WHERE
        NOT staged.deleted
        AND staged.kind = 'events'
        AND staged.status = 'loaded'
        AND staged.lines > 0
        AND NOT EXISTS (SELECT 1 FROM ops.files AS live WHERE live.path = staged.path)
)

SELECT arrived.new_files, newest.staged_play AS newest_staged_play, newest.live_play AS newest_live_play
FROM arrived CROSS JOIN newest
WHERE arrived.new_files > 0 AND coalesce(newest.staged_play, '-infinity') <= newest.live_play
