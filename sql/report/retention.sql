-- The share of each of the latest weeks' newcomers that played again so many weeks later.
-- Parameters: weeks. Called by spark_jobs/report_listening.py.
WITH shares AS (
    SELECT
        cohort_week,
        weeks_after,
        cohort_size,
        share,
        max(cohort_week) OVER () AS latest_week
    FROM dwh.retention
)

SELECT
    cohort_week,
    weeks_after,
    cohort_size,
    share
FROM shares
WHERE cohort_week > latest_week - 7 * %(weeks)s
ORDER BY cohort_week, weeks_after
