-- severity: warn
-- The newest day of the batch has at least half and at most twice as many plays as the day before and the same day a week before.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
--
-- Less than half of the smaller or more than twice the greater of the two is told; silent until both have plays and one of them
-- a hundred. Two days are enough to know a weekend by, and counting more live rows would cost more than the batch. A day that is
-- live counts as it is live, unless the batch brings more. A play's id begins with the milliseconds of its start, so live days
-- are counted through the key.
WITH days_staged AS (
    SELECT date_bin('1 day', start_time, '2000-01-01 00:00+00') AS midnight, count(*) AS plays
    FROM staging.songplays
    WHERE NOT deleted
    GROUP BY 1
),

staged AS (
    SELECT (midnight AT TIME ZONE 'UTC')::date AS play_date, plays
    FROM days_staged
),

days AS (
    SELECT
        newest.play_date - back.days_back AS play_date,
        back.days_back,
        (extract(EPOCH FROM newest.play_date - back.days_back) * 1000)::bigint AS begins_at_ms
    FROM (SELECT max(play_date) AS play_date FROM staged) AS newest
    CROSS JOIN (VALUES (0), (1), (7)) AS back (days_back)
    WHERE newest.play_date IS NOT NULL
),

counted AS (
    SELECT
        play_date,
        days.days_back,
        greatest(
            staged.plays,
            (
                SELECT count(*) FROM dwh.songplays AS live
                WHERE
                    live.songplay_id >= days.begins_at_ms::text COLLATE "C"
                    AND live.songplay_id < (days.begins_at_ms + 86400000)::text COLLATE "C"
            )
        ) AS plays
    FROM days LEFT JOIN staged USING (play_date)
),

judged AS (
    SELECT
        max(play_date) AS play_date,
        max(plays) FILTER (WHERE days_back = 0) AS plays,
        max(plays) FILTER (WHERE days_back = 1) AS day_before,
        max(plays) FILTER (WHERE days_back = 7) AS week_before
    FROM counted
)

SELECT play_date, plays, day_before, week_before
FROM judged
WHERE
    least(day_before, week_before) > 0
    AND greatest(day_before, week_before) >= 100
    AND (2 * plays < least(day_before, week_before) OR plays > 2 * greatest(day_before, week_before))
