-- Changes of level in each of the latest weeks with one (Monday, UTC), and how long after registering a middling listener began to pay.
-- Parameters: weeks. Called by spark_jobs/report_listening.py.
WITH changes AS (
    SELECT
        date_trunc('week', changed_at AT TIME ZONE 'UTC')::date AS week,
        to_level,
        days_since_registration
    FROM dwh.level_changes
),

latest AS (
    SELECT max(week) - 7 * %(weeks)s AS before
    FROM changes
)

SELECT
    changes.week AS day,
    count(*) FILTER (WHERE changes.to_level = 'paid') AS to_paid,
    count(*) FILTER (WHERE changes.to_level = 'free') AS to_free,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY changes.days_since_registration) FILTER (WHERE changes.to_level = 'paid')
        AS median_days_to_paid
FROM changes
INNER JOIN latest ON changes.week > latest.before
GROUP BY changes.week
ORDER BY changes.week
