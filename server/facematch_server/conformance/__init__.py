"""Tests of the contract from outside: a suite for any server, and a check before a client moves.

Knows the contract's codes (`facematch_local.codes`) and HTTP, but nothing of the service's code.

```
call      one request and its reply
shape     rules for every reply
cases     the suite, as data
suite     runs the cases
report    table and JUnit XML
compat    the check before a client of the cloud service moves
```
"""

from __future__ import annotations

from facematch_server.conformance.call import Call, Reply, Target
from facematch_server.conformance.cases import Case, SamplePhotos, cases
from facematch_server.conformance.compat import Observation, compare_with_cloud
from facematch_server.conformance.suite import CaseOutcome, Result, run

__all__ = [
    "Call",
    "Case",
    "CaseOutcome",
    "Observation",
    "Reply",
    "Result",
    "SamplePhotos",
    "Target",
    "cases",
    "compare_with_cloud",
    "run",
]
