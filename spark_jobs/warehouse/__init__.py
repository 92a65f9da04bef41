"""PostgreSQL: connect, stage, check, publish. Only `stage` needs Spark."""
