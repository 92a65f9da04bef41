-- Listeners and hours listened on each of the latest days (UTC), paid and free; days without any are there with zeros.
-- Parameters: days. Called by spark_jobs/report_listening.py.
WITH bounds AS (
    SELECT
        max(day) AS latest_day,
        greatest(min(day), max(day) - %(days)s + 1) AS first_day
    FROM dwh.daily_activity
),

days AS (
    SELECT generate_series(first_day::timestamp, latest_day::timestamp, interval '1 day')::date AS day
    FROM bounds
)

SELECT
    days.day,
    coalesce(paid.listeners, 0) AS paid_listeners,
    coalesce(free.listeners, 0) AS free_listeners,
    round(coalesce(paid.seconds, 0)::numeric / 3600, 1)::double precision AS paid_hours,
    round(coalesce(free.seconds, 0)::numeric / 3600, 1)::double precision AS free_hours
FROM days
LEFT JOIN dwh.daily_activity AS paid ON days.day = paid.day AND paid.level = 'paid'
LEFT JOIN dwh.daily_activity AS free ON days.day = free.day AND free.level = 'free'
ORDER BY days.day
