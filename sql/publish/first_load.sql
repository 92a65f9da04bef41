-- Fills an empty live table whose key is released.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py.
INSERT INTO {live} ({columns})
SELECT {columns}
FROM {staged}
WHERE NOT deleted
