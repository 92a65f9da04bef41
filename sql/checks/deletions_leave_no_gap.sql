-- severity: fail
-- No live row loses the user, song, artist or time it refers to by a deletion.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. Rows that are staged themselves are references_resolve's matter.
--
-- Asks live tables only when something they refer to is deleted, hence the EXISTS. A play's id begins with the milliseconds of its
-- start, so the plays of a moment are found through the key.
SELECT 'songplays.user_id' AS reference, count(*) AS violations
FROM staging.users AS gone INNER JOIN dwh.songplays AS live ON gone.user_id = live.user_id
WHERE
    gone.deleted
    AND EXISTS (SELECT 1 FROM staging.users WHERE deleted)
    AND NOT EXISTS (SELECT 1 FROM staging.songplays AS staged WHERE staged.songplay_id = live.songplay_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.song_id' AS reference, count(*) AS violations
FROM staging.songs AS gone INNER JOIN dwh.songplays AS live ON gone.song_id = live.song_id
WHERE
    gone.deleted
    AND EXISTS (SELECT 1 FROM staging.songs WHERE deleted)
    AND NOT EXISTS (SELECT 1 FROM staging.songplays AS staged WHERE staged.songplay_id = live.songplay_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.artist_id' AS reference, count(*) AS violations
FROM staging.artists AS gone INNER JOIN dwh.songplays AS live ON gone.artist_id = live.artist_id
WHERE
    gone.deleted
    AND EXISTS (SELECT 1 FROM staging.artists WHERE deleted)
    AND NOT EXISTS (SELECT 1 FROM staging.songplays AS staged WHERE staged.songplay_id = live.songplay_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.start_time' AS reference, count(*) AS violations
FROM staging.time AS gone INNER JOIN dwh.songplays AS live
    ON
        live.songplay_id >= (extract(EPOCH FROM gone.start_time) * 1000)::bigint || '-' COLLATE "C"
        AND live.songplay_id < (extract(EPOCH FROM gone.start_time) * 1000)::bigint || '.' COLLATE "C"
WHERE
    gone.deleted
    AND EXISTS (SELECT 1 FROM staging.time WHERE deleted)
    AND NOT EXISTS (SELECT 1 FROM staging.songplays AS staged WHERE staged.songplay_id = live.songplay_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songs.artist_id' AS reference, count(*) AS violations
FROM staging.artists AS gone INNER JOIN dwh.songs AS live ON gone.artist_id = live.artist_id
WHERE
    gone.deleted
    AND EXISTS (SELECT 1 FROM staging.artists WHERE deleted)
    AND NOT EXISTS (SELECT 1 FROM staging.songs AS staged WHERE staged.song_id = live.song_id)
HAVING count(*) > 0
