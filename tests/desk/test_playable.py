"""What browsers play, and what is decoded for them."""

from __future__ import annotations

import io

import pytest
import soundfile as sf
from pages import sound

from kataven_notebook.desk.playable import playable

pytestmark = pytest.mark.core


def test_sound_that_browsers_can_not_play_becomes_16_bit_wav() -> None:
    """ADPCM and AIFF are decoded; what browsers play is passed on as it is."""
    for options in ({"subtype": "IMA_ADPCM"}, {"format": "AIFF"}, {"format": "AU"}):
        sent = playable(sound(**options))
        with sf.SoundFile(io.BytesIO(sent.data)) as file:
            assert (file.format, file.subtype, file.channels) == ("WAV", "PCM_16", 2)
    flac = sound(format="FLAC")
    assert playable(flac).data == flac.encoded()
    assert playable(flac, decode=True).mime_type == "audio/wav"
