-- How long does a session last, for free and for paying listeners?
-- Answer on the sample data of make demo:
--   level | sessions | median_plays | median_minutes | longest_hours
--   free | 546 | 4 | 18.6 | 3.1
--   paid | 126 | 35 | 147.4 | 8.6
SELECT
    level_at_start AS level,
    count(*) AS sessions,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY plays) AS median_plays,
    round((percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) / 60)::numeric, 1) AS median_minutes,
    round((max(seconds) / 3600)::numeric, 1) AS longest_hours
FROM dwh.sessions
GROUP BY level_at_start
ORDER BY level_at_start;
