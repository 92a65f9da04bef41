-- Sessions that began on each of the latest days (UTC), with the plays and minutes of a middling one (the median).
-- Parameters: days. Called by spark_jobs/report_listening.py.
WITH latest AS (
    SELECT date_trunc('day', max(started_at), 'UTC') - make_interval(days => %(days)s - 1) AS since
    FROM dwh.sessions
)

SELECT
    (sessions.started_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS sessions,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY sessions.plays) AS median_plays,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY sessions.seconds))::numeric / 60, 1)::double precision AS median_minutes
FROM dwh.sessions AS sessions
INNER JOIN latest ON sessions.started_at >= latest.since
GROUP BY (sessions.started_at AT TIME ZONE 'UTC')::date
ORDER BY day
