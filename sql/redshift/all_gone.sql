-- Takes every live row for gone, where a table is loaded whole; what its files have comes back.
-- Filled in for each table by spark_jobs/warehouse/redshift.py.
INSERT INTO {gone} ({columns}) SELECT {columns} FROM {live};
