-- Makes the staged rows live and tells how many were new and how many changed. A row that is live already as it is staged is
-- not rewritten.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py.
--
-- A row that PostgreSQL inserted has no xmax; one that it updated was locked first, so it has.
WITH written AS (
    INSERT INTO {live} AS live ({columns})
    SELECT {columns}
    FROM {staged}
    WHERE NOT deleted
    ON CONFLICT ({key}) DO UPDATE
        SET {assignments}
        WHERE ({live_values}) IS DISTINCT FROM ({staged_values})
    RETURNING xmax = 0 AS is_new
)

SELECT count(*) FILTER (WHERE is_new) AS inserted, count(*) FILTER (WHERE NOT is_new) AS updated
FROM written
