-- Every UTC day from the first play to the last.
-- Parameters: none. Called by spark_jobs/warehouse/marts.py.
SELECT days.day::date AS day
FROM generate_series(
    (SELECT min(start_time) AT TIME ZONE 'UTC' FROM dwh.time)::date::timestamp,
    (SELECT max(start_time) AT TIME ZONE 'UTC' FROM dwh.time)::date::timestamp,
    interval '1 day'
) AS days (day)
