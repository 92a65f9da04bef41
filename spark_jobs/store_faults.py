"""What of an object store broke, told from errors of Python and Java as ones a person can act on."""

from __future__ import annotations

import re

from spark_jobs.errors import BadUsage, InputMissing, ServiceUnreachable, SonglakeError

_AGAIN = "See that it runs and that AWS_ENDPOINT_URL and AWS_REGION are right, then run again: it goes on from what was committed."
_NOT_ANSWERED = re.compile(
    r"Generic S3 error|error sending request|SdkClientException"
    r"|AWS(?:ServiceIO|ClientIO|ServiceThrottled|ApiCallTimeout|NoResponse|Status500|BadRequest)Exception"
)
_TIMES = re.compile(r" in \d\S*s(?:, after .*?)? +- ")
_NO_JARS = "Class org.apache.hadoop.fs.s3a.S3AFileSystem not found"
_REFUSED = re.compile(r"[Ss]tatus [Cc]ode: 403|AccessDenied|NoAuthWithAWSException|NoAwsCredentialsException|InvalidAccessKeyId")


def store_fault(text: str, where: str = "the object store") -> SonglakeError | None:
    """Tell from an error's text, of Python or Java, that an object store did not answer or refused us; None if it speaks of neither."""
    if _NO_JARS in text:
        return BadUsage("Spark has no jars for s3a://.", "Run make setup-s3, and start the job by bin/songlake or bin/spark-submit.")
    if "NoSuchBucket" in text or "UnknownStoreException" in text:
        return no_bucket(where)
    if not _NOT_ANSWERED.search(text) and not (("s3a://" in text or "S3Exception" in text) and _REFUSED.search(text)):
        return None
    if _REFUSED.search(text):
        return refused(where)
    told = next((line for line in text.splitlines() if _NOT_ANSWERED.search(line)), text)
    # Without the time it took, the same fault is the same sentence, which the sensor says once.
    return unanswered(where, _TIMES.sub(": ", told.strip())[:200])


def no_bucket(where: str) -> InputMissing:
    """Say that there is no such bucket."""
    return InputMissing(f"There is no bucket for {where}.", "Create it, or name another place.")


def refused(where: str) -> ServiceUnreachable:
    """Say that the store does not let us in."""
    return ServiceUnreachable(
        f"The object store refuses access to {where}.",
        "See that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right and have the rights that docs/object_store.md names.",
    )


def unanswered(where: str, told: str) -> ServiceUnreachable:
    """Say that the store gave no answer, or none that helps."""
    return ServiceUnreachable(f"The object store does not answer for {where} ({told.rstrip('.')}).", _AGAIN)


def first_line(error: BaseException) -> str:
    """Give the beginning of what an error says, which may go on for pages."""
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
