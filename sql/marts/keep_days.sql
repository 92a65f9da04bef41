-- Derives the runs of plays of some UTC days, which have none, from their live plays.
-- Parameters: days. Called by spark_jobs/warehouse/marts.py.
--
-- A day's plays are found through the key, whose text begins with the milliseconds. On the day on which these got their thirteenth
-- digit, texts and times are not in the same order, so plays of all days are read for it.
INSERT INTO dwh.kept_play_runs (started_at, user_id, session_id, item_in_session, level, ended_at, plays, milliseconds)
SELECT
    runs.started_at,
    runs.user_id,
    runs.session_id,
    runs.item_in_session,
    runs.level,
    runs.ended_at,
    runs.plays,
    runs.milliseconds
FROM (
    SELECT
        day,
        CASE WHEN day = '2001-09-09' THEN '' ELSE ((day - '1970-01-01'::date)::bigint * 86400000)::text END AS from_id,
        CASE WHEN day = '2001-09-09' THEN ':' ELSE ((day + 1 - '1970-01-01'::date)::bigint * 86400000)::text END AS to_id
    FROM unnest(%(days)s::date[]) AS given (day)
) AS days, dwh.play_runs_between(days.from_id, days.to_id) AS runs
WHERE runs.started_at >= days.day::timestamp AT TIME ZONE 'UTC' AND runs.started_at < (days.day + 1)::timestamp AT TIME ZONE 'UTC'
