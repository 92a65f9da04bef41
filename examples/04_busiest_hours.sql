-- Which hours of the week are the busiest (UTC)?
-- Plays are divided by the days on which there were any, so that a weekday that came once more does not win by that.
-- Answer on the sample data of make demo:
--   weekday | hour | plays | plays_a_day
--   4 | 17 | 149 | 149
--   1 | 17 | 137 | 137
--   6 | 16 | 133 | 133
--   5 | 15 | 116 | 116
--   5 | 16 | 115 | 115
SELECT
    weekday,
    hour,
    plays,
    plays / days AS plays_a_day
FROM dwh.listening_hours
WHERE days > 0
ORDER BY plays / days DESC, weekday ASC, hour ASC
LIMIT 5;
