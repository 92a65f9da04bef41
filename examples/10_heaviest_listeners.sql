-- What share of all plays is that of the tenth of listeners who play most?
-- Answer on the sample data of make demo:
--   heaviest_listeners | listeners | percent_of_plays
--   10 | 99 | 35.2
WITH listeners AS (
    SELECT
        user_id,
        count(*) AS plays,
        ntile(10) OVER (ORDER BY count(*) DESC, user_id) AS tenth
    FROM dwh.songplays
    GROUP BY user_id
)

SELECT
    count(*) FILTER (WHERE tenth = 1) AS heaviest_listeners,
    count(*) AS listeners,
    round(100 * sum(plays) FILTER (WHERE tenth = 1) / sum(plays), 1) AS percent_of_plays
FROM listeners;
