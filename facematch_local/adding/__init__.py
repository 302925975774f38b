"""Add a model pack to an installation: `standard`, or an operator's own.

A pack is put together in a hidden folder beside its place, opened, tried on a photo of six people, and only then moved
to its place in one step. Whatever goes wrong before leaves everything as it was.

`standard` alone is ever downloaded, and only by `facematch models add standard`; an operator's own pack comes from a
file or folder of this machine.
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
