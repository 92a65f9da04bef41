-- How many went from free to paid or back, and how many days after they registered?
-- Answer on the sample data of make demo:
--   from_level | to_level | changes | users | median_days
--   free | paid | 11 | 11 | 21
--   paid | free | 6 | 6 | 14
SELECT
    from_level,
    to_level,
    count(*) AS changes,
    count(DISTINCT user_id) AS users,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY days_since_registration) AS median_days
FROM dwh.level_changes
GROUP BY from_level, to_level
ORDER BY from_level, to_level;
