-- The star schema from winning lines with clean texts. The views say which part of it is wanted, all or what a delivery touches:
-- song_records (by song), artist_records (by artist), listening (by user), playing (by event); records are all song records.
CREATE OR REPLACE TEMP TABLE songs AS
SELECT song_id, title, artist_id, nullif(year::INT, 0) AS year, duration::DOUBLE AS duration FROM song_records;

CREATE OR REPLACE TEMP TABLE artists AS
SELECT artist_id, artist_name AS name, artist_location AS location, latitude, longitude
FROM (
    SELECT
        *,
        CASE WHEN artist_latitude IS NOT NULL AND artist_longitude IS NOT NULL THEN artist_latitude::DOUBLE END AS latitude,
        CASE WHEN artist_latitude IS NOT NULL AND artist_longitude IS NOT NULL THEN artist_longitude::DOUBLE END AS longitude
    FROM artist_records
)
QUALIFY row_number() OVER (
    PARTITION BY artist_id
    ORDER BY latitude IS NULL, artist_location IS NULL, nullif(year::INT, 0) DESC NULLS LAST, song_id
) = 1;

CREATE OR REPLACE TEMP TABLE users AS
SELECT
    userId::BIGINT AS user_id, "firstName" AS first_name, "lastName" AS last_name, gender, level,
    make_timestamptz(floor(registration::DOUBLE * 1000 + 0.5)::BIGINT) AS registered_at,
    make_timestamptz(ts::BIGINT * 1000) AS last_seen_at
FROM listening
WHERE userId IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY userId ORDER BY ts::BIGINT DESC, sessionId::BIGINT DESC, itemInSession::INT DESC) = 1;

CREATE OR REPLACE TEMP TABLE songplays AS
WITH keyed AS (
    SELECT folded(title) AS title_key, folded(artist_name) AS artist_key, milliseconds(duration) AS ms, min((song_id, artist_id)) AS song
    FROM records WHERE title IS NOT NULL GROUP BY ALL
)
SELECT
    concat_ws('-', ts, sessionId, itemInSession, userId) AS songplay_id,
    make_timestamptz(ts::BIGINT * 1000) AS start_time,
    userId::BIGINT AS user_id, level, keyed.song[1] AS song_id, keyed.song[2] AS artist_id, sessionId::BIGINT AS session_id, location,
    CASE WHEN length(userAgent) >= 2 AND userAgent LIKE '"%"' THEN nullif(trim(userAgent[2:-2]), '') ELSE userAgent END AS user_agent,
    itemInSession::INT AS item_in_session, playing.song AS song_title, artist AS artist_name, length::DOUBLE AS length
FROM playing
LEFT JOIN keyed ON folded(playing.song) = title_key AND folded(artist) = artist_key AND milliseconds(length) = ms
WHERE page = 'NextSong';

CREATE OR REPLACE TEMP TABLE time AS
SELECT
    start_time, hour(start_time)::INT AS hour, day(start_time)::INT AS day, week(start_time)::INT AS week, month(start_time)::INT AS month,
    year(start_time)::INT AS year, isodow(start_time)::INT AS weekday
FROM (SELECT DISTINCT start_time FROM songplays);
