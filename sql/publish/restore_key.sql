-- Builds the key of a table after its first load, the same as sql/ddl declares it.
-- Filled in for each table by spark_jobs/warehouse/statements.py; called by spark_jobs/warehouse/publish.py.
ALTER TABLE {live} ADD CONSTRAINT {key_name} PRIMARY KEY ({key})
