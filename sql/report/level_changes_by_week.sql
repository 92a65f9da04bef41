-- Changes of level in each of the latest weeks (Monday, UTC) from the first with one to the last, and how many days after registering a
-- middling listener began to pay (the median).
-- Parameters: weeks. Called by spark_jobs/report_listening.py.
WITH changes AS (
    SELECT
        date_trunc('week', changed_at AT TIME ZONE 'UTC')::date AS week,
        to_level,
        days_since_registration
    FROM dwh.level_changes
),

weeks AS (
    SELECT
        generate_series(
            greatest(min(week), max(week) - 7 * (%(weeks)s - 1))::timestamp, max(week)::timestamp, interval '7 days'
        )::date AS week
    FROM changes
)

SELECT
    weeks.week AS day,
    count(*) FILTER (WHERE changes.to_level = 'paid') AS to_paid,
    count(*) FILTER (WHERE changes.to_level = 'free') AS to_free,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY changes.days_since_registration) FILTER (WHERE changes.to_level = 'paid')
        AS median_days_to_paid
FROM weeks
LEFT JOIN changes ON weeks.week = changes.week
GROUP BY weeks.week
ORDER BY weeks.week
