-- Sessions that began on each of the latest days (UTC), with the plays and minutes of a middling one (the median).
-- Parameters: since. Called by spark_jobs/report_listening.py.
SELECT
    (started_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS sessions,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY plays) AS median_plays,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds))::numeric / 60, 1)::double precision AS median_minutes
FROM dwh.sessions
WHERE started_at >= %(since)s
GROUP BY (started_at AT TIME ZONE 'UTC')::date
ORDER BY day
