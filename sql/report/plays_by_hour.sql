-- Plays by hour of the day and ISO weekday (UTC), one row an hour, all 24 of them.
-- Parameters: since, since_id. Called by spark_jobs/report_page.py.
WITH counted AS (
    SELECT
        extract(HOUR FROM start_time AT TIME ZONE 'UTC')::integer AS hour,
        extract(ISODOW FROM start_time AT TIME ZONE 'UTC')::integer AS weekday,
        count(*) AS plays
    FROM dwh.songplays
    WHERE songplay_id >= %(since_id)s AND start_time >= %(since)s
    GROUP BY hour, weekday
)

SELECT
    hours.hour,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 1), 0)::bigint AS monday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 2), 0)::bigint AS tuesday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 3), 0)::bigint AS wednesday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 4), 0)::bigint AS thursday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 5), 0)::bigint AS friday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 6), 0)::bigint AS saturday,
    coalesce(sum(counted.plays) FILTER (WHERE counted.weekday = 7), 0)::bigint AS sunday
FROM generate_series(0, 23) AS hours (hour)
LEFT JOIN counted ON hours.hour = counted.hour
GROUP BY hours.hour
ORDER BY hours.hour
