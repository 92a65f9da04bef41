-- severity: warn
-- Plays of the batch match songs at least half as often as the 10,000 latest live plays do.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
--
-- In real data two plays in a hundred match or fewer, so the batch is compared with what is live, and only when it is large
-- enough for thirty matches at the live rate.
WITH live AS (
    SELECT count(*) AS plays, count(latest.song_id) AS matched
    FROM (SELECT song_id FROM dwh.songplays ORDER BY songplay_id DESC LIMIT 10000) AS latest
),

staged AS (
    SELECT count(*) AS plays, count(song_id) AS matched
    FROM staging.songplays
    WHERE NOT deleted
)

SELECT
    staged.plays,
    staged.matched,
    round(staged.matched::numeric / staged.plays, 4) AS share,
    round(live.matched::numeric / live.plays, 4) AS live_share
FROM staged CROSS JOIN live
WHERE
    live.plays > 0
    AND staged.plays * live.matched >= 30 * live.plays
    AND 2 * staged.matched * live.plays < live.matched * staged.plays
