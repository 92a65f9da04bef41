-- How many of those who first played in one week played again so many weeks later.
-- Grain: one ISO week of first plays (a cohort) and number of weeks after it, up to the week of the latest play.
-- Key: cohort_week, weeks_after.
-- Caveat: the last week of the data may be under way, so its numbers may still rise; weeks begin on Monday 00:00 UTC.
-- Caveat: who played before the data begins counts as new in its first weeks.
-- Column cohort_week date: Monday of the week of the first play
-- Column weeks_after integer: weeks after that one, from 0
-- Column cohort_size bigint: users whose first play was in cohort_week
-- Column listeners bigint: how many of them played in that later week; 0 where none did
-- Column share double precision: listeners / cohort_size, 0 to 1
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.retention AS
WITH active AS (
    SELECT DISTINCT
        user_id,
        date_trunc('week', started_at AT TIME ZONE 'UTC')::date AS week
    FROM dwh.play_runs
),

since_first AS (
    SELECT
        min(week) OVER (PARTITION BY user_id) AS cohort_week,
        week
    FROM active
),

counted AS (
    SELECT
        cohort_week,
        (week - cohort_week) / 7 AS weeks_after,
        count(*) AS listeners
    FROM since_first
    GROUP BY cohort_week, (week - cohort_week) / 7
)

SELECT
    cohorts.cohort_week,
    weeks.weeks_after,
    cohorts.listeners AS cohort_size,
    coalesce(counted.listeners, 0) AS listeners,
    coalesce(counted.listeners, 0)::double precision / cohorts.listeners AS share
FROM counted AS cohorts
CROSS JOIN LATERAL generate_series(0, ((SELECT max(active.week) FROM active) - cohorts.cohort_week) / 7) AS weeks (weeks_after)
LEFT JOIN counted ON cohorts.cohort_week = counted.cohort_week AND weeks.weeks_after = counted.weeks_after
WHERE cohorts.weeks_after = 0;
