-- Of those who first played in one week, how many came back later?
-- Answer on the sample data of make demo:
--   cohort_week | weeks_after | cohort_size | listeners | percent
--   2018-10-29 | 0 | 91 | 91 | 100.0
--   2018-10-29 | 1 | 91 | 80 | 87.9
--   2018-11-05 | 0 | 8 | 8 | 100.0
SELECT
    cohort_week,
    weeks_after,
    cohort_size,
    listeners,
    round(100 * share::numeric, 1) AS percent
FROM dwh.retention
ORDER BY cohort_week, weeks_after;
