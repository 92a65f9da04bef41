-- Which artists were played most in November 2018, whoever played them?
-- The view ranks free and paid apart, so both are added up here.
-- Answer on the sample data of make demo:
--   artist_name | plays | matched_plays
--   Islands & Tides | 219 | 0
--   Oscar Hazel | 96 | 0
--   Bridges & Rivers | 87 | 72
--   Kites & Harbours | 77 | 30
--   Greta Birch | 74 | 20
SELECT
    artist_name,
    sum(plays) AS plays,
    sum(matched_plays) AS matched_plays
FROM dwh.top_artists
WHERE month = '2018-11-01'
GROUP BY artist_name
ORDER BY sum(plays) DESC, artist_name COLLATE "C"
LIMIT 5;
