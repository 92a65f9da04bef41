-- The days that the report's plays come from: the latest day with a play and as many before it as asked for, in UTC.
-- Null where nothing was played. since_id is where they begin in the order of songplay_id, the only index that songplays has: the id
-- begins with the milliseconds, which have thirteen digits from September 2001 on.
-- Parameters: days. Called by spark_jobs/report_page.py.
WITH latest AS (
    SELECT date_trunc('day', max(start_time), 'UTC') AS latest_day, date_trunc('day', min(start_time), 'UTC') AS first_day
    FROM dwh.time
),

bounds AS (
    SELECT latest_day, greatest(first_day, latest_day - make_interval(days => %(days)s - 1)) AS since
    FROM latest
)

SELECT
    since,
    (since AT TIME ZONE 'UTC')::date AS first_day,
    (latest_day AT TIME ZONE 'UTC')::date AS latest_day,
    CASE WHEN since >= '2001-09-10 00:00:00+00' THEN (extract(EPOCH FROM since) * 1000)::bigint::text ELSE '' END AS since_id
FROM bounds
