"""Installation of a model pack: `standard`, or an operator's own.

The pack is assembled in a hidden folder beside its destination, opened and tried on a photo of six people. Only then is
it moved to its destination, in one step. A failure before that changes nothing.

Only `standard` can be downloaded, and only by `facematch models add standard`. An operator's own pack comes from a file
or folder of this machine.
"""

from facematch_local.adding.own import add_own
from facematch_local.adding.place import Added, default_folder
from facematch_local.adding.standard import STANDARD, Present, add_standard, described_standard, is_standard_archive
from facematch_local.adding.trial import PEOPLE, Trial, try_out

__all__ = [
    "PEOPLE",
    "STANDARD",
    "Added",
    "Present",
    "Trial",
    "add_own",
    "add_standard",
    "default_folder",
    "described_standard",
    "is_standard_archive",
    "try_out",
]
