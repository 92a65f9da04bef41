-- The three schemas: dwh is what analysts read, staging holds one batch, ops records how it got there.
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE SCHEMA IF NOT EXISTS dwh;
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS ops;
