-- When people listen: plays by weekday and hour of the day, all 168 hours of a week.
-- Grain: one hour of the week, also where nothing was played.
-- Key: weekday, hour.
-- Caveat: hours are UTC, not where the listener is; songplays has places but no time zones.
-- Caveat: all of history counts, so a weekday that came once more than the others has more plays; divide by days.
-- Column weekday integer: ISO weekday, 1 = Monday
-- Column hour integer: 0 to 23, UTC
-- Column plays bigint: plays that began in this hour
-- Column days bigint: days on which there was one
-- Column seconds double precision: lengths of these plays, each to the millisecond; no length counts 0, more than a day counts a day
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.listening_hours AS
WITH counted AS (
    SELECT
        date_trunc('hour', started_at AT TIME ZONE 'UTC') AS hour,
        sum(plays) AS plays,
        sum(milliseconds) AS milliseconds
    FROM dwh.play_runs
    GROUP BY date_trunc('hour', started_at AT TIME ZONE 'UTC')
)

SELECT
    weekdays.weekday,
    hours.hour,
    coalesce(sum(counted.plays), 0)::bigint AS plays,
    count(counted.hour) AS days,
    coalesce(sum(counted.milliseconds), 0)::double precision / 1000 AS seconds
FROM generate_series(1, 7) AS weekdays (weekday)
CROSS JOIN generate_series(0, 23) AS hours (hour)
LEFT JOIN counted ON weekdays.weekday = extract(ISODOW FROM counted.hour) AND hours.hour = extract(HOUR FROM counted.hour)
GROUP BY weekdays.weekday, hours.hour;
