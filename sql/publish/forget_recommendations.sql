-- Take away what was recommended to users who go with this batch, so that nothing is kept of a person who is erased.
-- Called by spark_jobs/warehouse/publish.py in the publishing transaction.
DELETE FROM dwh.recommendations AS live
USING staging.users AS staged
WHERE staged.deleted AND staged.user_id = live.user_id;
