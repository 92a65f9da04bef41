-- Takes an empty live table for this transaction alone and drops its key, so that a large first load need not keep it row by row.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py, which goes the
-- ordinary way where this cannot be had: somebody reads the table, something depends on its key, or it is another user's.
LOCK TABLE {live} IN ACCESS EXCLUSIVE MODE;
ALTER TABLE {live} DROP CONSTRAINT {key_name};
