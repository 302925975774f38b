"""Photos to send: the samples of the package, or an operator's."""

from __future__ import annotations

from pathlib import Path

from facematch_local.errors import FacematchError
from facematch_local.imaging.decode import encode_jpeg
from facematch_local.synthetic.samples import Studio
from facematch_server.conformance.cases import SamplePhotos


def photos(card: Path | None = None, portrait: Path | None = None) -> SamplePhotos:
    """The photos to send. The operator may give a card and a portrait of its holder: both or neither.

    Raises:
        FacematchError: one of both is missing, or a file cannot be read.
    """
    if (card is None) != (portrait is None):
        raise FacematchError("give both --card and --portrait (one person), or neither")
    samples = {name: encode_jpeg(pixels) for name, pixels in Studio().photos().items()}
    try:
        own = [path.read_bytes() for path in (card, portrait) if path is not None]
    except OSError as error:
        raise FacematchError(f"{error.filename}: {error.strerror or type(error).__name__}") from None
    image1, image2 = own or (samples["card.jpg"], samples["portrait.jpg"])
    return SamplePhotos(image1, image2, samples["no_face.jpg"], samples["other_person.jpg"])
