-- How much was listened to on each day, by how many, free and paid.
-- Grain: one UTC day and level with at least one play.
-- Key: day, level.
-- Caveat: who changes level counts as a listener of both levels that day, so listeners of levels or days cannot be added up.
-- Caveat: a play counts its whole length on the day it began; no length counts 0, more than a day counts a day.
-- Column day date: UTC day on which the plays began
-- Column level text: level of the plays
-- Column plays bigint: plays
-- Column listeners bigint: distinct users
-- Column seconds double precision: lengths of the plays, each to the millisecond
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.daily_activity AS
WITH by_user AS (
    SELECT
        (started_at AT TIME ZONE 'UTC')::date AS day,
        level,
        user_id,
        sum(plays) AS plays,
        sum(milliseconds) AS milliseconds
    FROM dwh.play_runs
    GROUP BY (started_at AT TIME ZONE 'UTC')::date, level, user_id
)

SELECT
    day,
    level,
    sum(plays)::bigint AS plays,
    count(*) AS listeners,
    sum(milliseconds)::double precision / 1000 AS seconds
FROM by_user
GROUP BY day, level;
