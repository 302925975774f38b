"""What to set for a client whose file was read, in the words of `facematch compat-check`."""

from __future__ import annotations

from collections.abc import Iterator

from facematch_server.conformance.client_file import ClientNeeds
from facematch_server.conformance.compat import Level, Observation
from facematch_server.wire.profile import NoFaceAs, Profile

_PROFILE_KEY = "`facematch keys create --profile {}` for this client alone"


def advice(needs: ClientNeeds) -> Iterator[Observation]:
    """The profile and the reply to a photo without a face that fit, each with its reason and the command."""
    yield _profile(needs)
    yield _no_face(needs)
    if needs.numbers:
        found = f"declared as numbers: {', '.join(needs.numbers)}; both profiles print texts, and so does the cloud"
        step = "nothing if the client works with the cloud; else declare them as texts in the client"
        yield Observation("other fields", Level.SAME, found, step)


def _profile(needs: ClientNeeds) -> Observation:
    found = "; ".join(f"{each.about}: {each.reads} ({each.count})" for each in needs.evidence)
    if needs.profile is Profile.OBSERVED:
        said = f"the profile observed fits. invalidCode in {found}"
        step = f"`facematch serve --profile observed` for all, or {_PROFILE_KEY.format('observed')}"
        return Observation("profile", Level.DIFFERS, said, step)
    if needs.profile is Profile.DOCUMENTED:
        said = f"the profile documented fits. invalidCode in {found}"
        return Observation("profile", Level.SAME, said, "nothing: it is the default (`facematch serve`)")
    if needs.conflicting:
        said = f"the parts of the file differ. invalidCode in {found}"
        step = "read the file of one client at a time, and give each client a key with its profile: "
        return Observation("profile", Level.PROBLEM, said, f"{step}`facematch keys create --profile observed`")
    step = "give a HAR file or a dump of replies, a JSON Schema or type names, or the source of the model class"
    return Observation("profile", Level.PROBLEM, "the file does not tell how the client reads invalidCode", step)


def _no_face(needs: ClientNeeds) -> Observation:
    if needs.no_face_as is NoFaceAs.ERROR3:
        said = "the client takes errorCode 3 for a photo without a face, as on the Vietnamese page"
        return Observation("no face", Level.DIFFERS, said, "`facematch serve --no-face-as error3`")
    if needs.no_face_as is NoFaceAs.WARNING:
        said = "replies have invalidCode 4 or 5, as on the English page"
        return Observation("no face", Level.SAME, said, "nothing: it is the default (`facematch serve`)")
    step = "look at what the client does with errorCode 3; if it asks for a photo with a face: --no-face-as error3"
    return Observation("no face", Level.SAME, "the file does not tell; the default is invalidCode 4 or 5", step)
