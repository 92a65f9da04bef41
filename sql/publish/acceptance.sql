-- Puts on record that a person overruled a failed check; said again, the later word counts.
-- Parameters: batch_id, check_name, reason, accepted_by. Called by spark_jobs/warehouse/accept.py.
INSERT INTO ops.acceptances AS known (batch_id, check_name, reason, accepted_by, accepted_at)
VALUES (%(batch_id)s, %(check_name)s, %(reason)s, %(accepted_by)s, now())
ON CONFLICT (batch_id, check_name) DO UPDATE SET
    reason = excluded.reason,
    accepted_by = excluded.accepted_by,
    accepted_at = excluded.accepted_at
