"""The tasks that run a job by spark-submit: what they have in common, and how they keep a password off the command line."""

from __future__ import annotations

from airflow.exceptions import AirflowException
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from spark_jobs.jvm import FULL_COMPILER
from spark_jobs.settings import PROJECT, WRITER_POOL, load


class SubmitJob(SparkSubmitOperator):
    """Runs a job whose variables, a password among them, stand in the environment of spark-submit, whatever the master.

    Where the master is YARN or Kubernetes the provider also writes `env_vars` into `--conf`, which every user of the machine can read.
    """

    def _get_hook(self) -> SparkSubmitHook:
        hook = super()._get_hook()
        if hook._connection["deploy_mode"] == "cluster":
            raise AirflowException(
                f"Connection {self._conn_id} asks for cluster deploy mode, in which a password would stand on the command line. "
                'Set "deploy-mode" in its extra to "client": docs/operations.md, Move to a cluster.'
            )
        hook._env, hook._env_vars = hook._env_vars, None
        return hook


def submit(stage: str, *arguments: str, full_compiler: bool = False, **variables: str) -> SubmitJob:
    """Give the task that runs `spark_jobs/<stage>.py`, with these variables and its place in lineage in its environment.

    The DAG has the macro `lineage_parent`.

    Args:
        stage: Names the job.
        *arguments: Those of the job, beside the lake.
        full_compiler: Whether the driver's JVM gets its full compiler, for work of minutes.
        **variables: The job's environment.
    """
    return SubmitJob(
        task_id=stage,
        application=str(PROJECT / "spark_jobs" / f"{stage}.py"),
        application_args=[*arguments, "--lake", str(load().lake)],
        name=f"songlake-{stage}",
        conn_id="spark_default",
        conf={"spark.driver.extraJavaOptions": FULL_COMPILER} if full_compiler else None,
        pool=WRITER_POOL,
        env_vars={"OPENLINEAGE_PARENT_ID": "{{ lineage_parent(ti) }}", **variables},
    )
