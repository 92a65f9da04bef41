-- Makes room, in this session alone, for the rows of the files that a table gained since the last load, and of those it lost.
-- Filled in for each table by spark_jobs/warehouse/redshift.py. Columns in the files' order, which COPY of Parquet goes by.
CREATE TEMPORARY TABLE {arrived} ({definitions});
CREATE TEMPORARY TABLE {gone} ({definitions});
