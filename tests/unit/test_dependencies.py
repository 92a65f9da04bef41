"""Every dependency that is asked for has its reason written down, and no reason is left of one that is gone."""

from __future__ import annotations

import re

from tests.sparkenv import PROJECT


def test_each_dependency_stands_with_its_reason_in_the_decision() -> None:
    asked = re.findall(r"^([\w-]+)", (PROJECT / "requirements.in").read_text(), re.MULTILINE)
    decision = (PROJECT / "docs" / "adr" / "0005-one-environment.md").read_text()
    # "apache-airflow-providers-postgres, -standard" names two.
    named = re.sub(r", -(?=[a-z])", ", apache-airflow-providers-", "; ".join(re.findall(r"^\| ([^|]+) \|[^|]+\|$", decision, re.MULTILINE)))
    assert sorted(set(re.findall(r"[a-z][\w-]*", re.sub(r"\[\w+\]", "", named))) - {"dependency", "with"}) == sorted(asked)
