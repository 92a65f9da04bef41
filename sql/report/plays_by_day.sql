-- Plays of each day (UTC), paid and free, and how many of them match a song; days without any are there with zeros.
-- Parameters: since, since_id, first_day, latest_day. Called by spark_jobs/report_page.py.
WITH counted AS (
    SELECT
        (start_time AT TIME ZONE 'UTC')::date AS day,
        count(*) AS plays,
        count(*) FILTER (WHERE level = 'paid') AS paid,
        count(*) FILTER (WHERE level = 'free') AS free,
        count(song_id) AS matched
    FROM dwh.songplays
    WHERE songplay_id >= %(since_id)s AND start_time >= %(since)s
    GROUP BY (start_time AT TIME ZONE 'UTC')::date
)

SELECT
    days.day::date AS day,
    coalesce(counted.plays, 0) AS plays,
    coalesce(counted.paid, 0) AS paid,
    coalesce(counted.free, 0) AS free,
    coalesce(counted.matched, 0) AS matched
FROM generate_series(%(first_day)s::timestamp, %(latest_day)s::timestamp, interval '1 day') AS days (day)
LEFT JOIN counted ON days.day::date = counted.day
ORDER BY days.day
