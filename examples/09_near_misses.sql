-- Which plays miss a song of the catalogue by their length only, so that one of the two may be wrong?
-- Answer on the sample data of make demo:
--   song_title | artist_name | plays | near_song_id | seconds_off
--   Midnight Islands / Reprise | Northern Shadows/Nils Ivy | 31 | SOAMEHP12A48B058E2 | 155.47
--   Northern Islands | Quiet Bridges/Oscar Cedar | 27 | SOAHRDV12A4CE732F1 | -202.69
--   Broken Deserts [Demo] | Gardens & Harbours | 21 | SOAVEPD12A25728AD6 | 37.87
--   Little Comets | Kites & Harbours | 17 | SOCBEIC12A6489631B | -55.77
--   Midnight Mirrors_ Pt. 2 | Greta Birch | 17 | SOBWREI12A38D37A07 | -11.65
SELECT
    song_title,
    artist_name,
    plays,
    near_song_id,
    round(seconds_off::numeric, 2) AS seconds_off
FROM dwh.unmatched_plays
WHERE near_song_id IS NOT NULL
ORDER BY plays DESC, song_title COLLATE "C" ASC, artist_name COLLATE "C" ASC, length ASC
LIMIT 5;
