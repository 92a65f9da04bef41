-- Who went from free to paid and back, when, and how long after registering.
-- Grain: one change of one user's level from a play to their next.
-- Key: user_id, change_number.
-- Caveat: a change is seen at the first play on the new level, and one between two plays that was taken back is not seen.
-- Caveat: registration is that of the user's latest event; where it is unknown, so are the days, and where it is later than the change
--   they are negative.
-- Column user_id bigint: whose level
-- Column change_number bigint: the user's changes in order of play (start_time, session_id, item_in_session), from 1
-- Column changed_at timestamp with time zone: start of the first play on the new level
-- Column from_level text: level of the play before
-- Column to_level text: level from then on
-- Column registered_at timestamp with time zone: when the user registered, as users says
-- Column days_since_registration integer: whole days of 24 hours from then to changed_at
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.level_changes AS
WITH runs AS (
    SELECT
        user_id,
        level,
        started_at,
        session_id,
        item_in_session,
        lag(level) OVER in_order AS level_before
    FROM dwh.play_runs
    WINDOW in_order AS (PARTITION BY user_id ORDER BY started_at, session_id, item_in_session)
)

SELECT
    runs.user_id,
    row_number() OVER (PARTITION BY runs.user_id ORDER BY runs.started_at, runs.session_id, runs.item_in_session) AS change_number,
    runs.started_at AS changed_at,
    runs.level_before AS from_level,
    runs.level AS to_level,
    users.registered_at,
    floor(extract(EPOCH FROM runs.started_at - users.registered_at) / 86400)::integer AS days_since_registration
FROM runs
LEFT JOIN dwh.users AS users ON runs.user_id = users.user_id
WHERE runs.level_before <> runs.level;
