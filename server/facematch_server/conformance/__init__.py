"""The contract from outside: a suite that any server can be held against, and a check before a move.

Knows the contract's words (`facematch_local.codes`) and HTTP; nothing of how the service is built.

```
call      one request, and what came back
shape     what every reply must look like
cases     the suite, as data
suite     runs cases
report    table and JUnit XML
compat    what a client of the cloud service will meet at an address
```
"""

from __future__ import annotations

from facematch_server.conformance.call import Call, Reply, Target
from facematch_server.conformance.cases import Case, Photos, cases
from facematch_server.conformance.compat import Finding, compare_with_cloud
from facematch_server.conformance.suite import Outcome, Result, run

__all__ = [
    "Call",
    "Case",
    "Finding",
    "Outcome",
    "Photos",
    "Reply",
    "Result",
    "Target",
    "cases",
    "compare_with_cloud",
    "run",
]
