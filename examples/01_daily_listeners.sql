-- How much is listened to each day, and by how many, free and paid?
-- Answer on the sample data of make demo:
--   day | level | plays | listeners | hours
--   2018-11-01 | free | 586 | 49 | 41.5
--   2018-11-01 | paid | 540 | 13 | 39.1
--   2018-11-02 | free | 368 | 33 | 26.2
--   2018-11-02 | paid | 822 | 12 | 59.5
--   2018-11-03 | free | 455 | 43 | 32.9
--   2018-11-03 | paid | 745 | 16 | 52.9
--   2018-11-04 | free | 402 | 32 | 29.1
--   2018-11-04 | paid | 895 | 13 | 64.6
--   2018-11-05 | free | 513 | 42 | 35.8
--   2018-11-05 | paid | 732 | 16 | 51.8
--   2018-11-06 | free | 505 | 36 | 36.3
--   2018-11-06 | paid | 721 | 17 | 52.0
--   2018-11-07 | free | 677 | 48 | 48.3
--   2018-11-07 | paid | 551 | 11 | 39.3
SELECT
    day,
    level,
    plays,
    listeners,
    round((seconds / 3600)::numeric, 1) AS hours
FROM dwh.daily_activity
ORDER BY day, level;
