-- Copies the files of a manifest into a table of this session.
-- Filled in for each table by spark_jobs/warehouse/redshift.py.
COPY {session_table} FROM {manifest} IAM_ROLE {role} FORMAT AS PARQUET MANIFEST;
