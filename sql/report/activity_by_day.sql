-- Listeners and hours listened on each of the latest days (UTC), paid and free; days without any are there with zeros.
-- Parameters: first_day, latest_day. Called by spark_jobs/report_listening.py.
WITH counted AS (
    SELECT
        day,
        max(listeners) FILTER (WHERE level = 'paid') AS paid_listeners,
        max(listeners) FILTER (WHERE level = 'free') AS free_listeners,
        max(seconds) FILTER (WHERE level = 'paid') AS paid_seconds,
        max(seconds) FILTER (WHERE level = 'free') AS free_seconds
    FROM dwh.daily_activity
    WHERE day >= %(first_day)s
    GROUP BY day
)

SELECT
    days.day::date AS day,
    coalesce(counted.paid_listeners, 0) AS paid_listeners,
    coalesce(counted.free_listeners, 0) AS free_listeners,
    round(coalesce(counted.paid_seconds, 0)::numeric / 3600, 1)::double precision AS paid_hours,
    round(coalesce(counted.free_seconds, 0)::numeric / 3600, 1)::double precision AS free_hours
FROM generate_series(%(first_day)s::timestamp, %(latest_day)s::timestamp, interval '1 day') AS days (day)
LEFT JOIN counted ON days.day::date = counted.day
ORDER BY days.day
