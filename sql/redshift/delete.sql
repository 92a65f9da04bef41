-- Deletes the live rows whose keys went and did not come back.
-- Filled in for each table by spark_jobs/warehouse/redshift.py. In two steps, since Redshift knows few correlated subqueries.
DELETE FROM {gone} USING {arrived} WHERE {same_in_arrived};
DELETE FROM {live} USING {gone} WHERE {same_in_gone};
