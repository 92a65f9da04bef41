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
WITH plays AS (
    SELECT
        user_id,
        level,
        start_time,
        session_id,
        item_in_session,
        lag(level) OVER in_order AS level_before
    FROM dwh.songplays
    WINDOW in_order AS (PARTITION BY user_id ORDER BY start_time, session_id, item_in_session)
)

SELECT
    plays.user_id,
    row_number() OVER (PARTITION BY plays.user_id ORDER BY plays.start_time, plays.session_id, plays.item_in_session) AS change_number,
    plays.start_time AS changed_at,
    plays.level_before AS from_level,
    plays.level AS to_level,
    users.registered_at,
    floor(extract(EPOCH FROM plays.start_time - users.registered_at) / 86400)::integer AS days_since_registration
FROM plays
LEFT JOIN dwh.users AS users ON plays.user_id = users.user_id
WHERE plays.level_before <> plays.level;
