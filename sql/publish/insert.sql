-- Makes the staged rows live in a table that has none: without looking for a row of the same key, which costs as much again.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py.
INSERT INTO {live} ({columns})
SELECT {columns}
FROM {staged}
WHERE NOT deleted
