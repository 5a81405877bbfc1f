"""Each type of notification is told from the others by its sound."""

import json
import subprocess

from storage.preferences import TYPES
from tests.node import NODE
from web.push.worker import SOURCE

SOUNDS = SOURCE.parent / "js/sounds.js"
READ = """
const text = require("node:fs").readFileSync(0, "utf8");
const table = /const SOUNDS = (\\{.*?\\n\\});/s.exec(text)[1];
process.stdout.write(JSON.stringify(new Function(`return ${table}`)()));
"""


def sounds() -> dict[str, list[list[float]]]:
    """Return the tones by type: frequency in Hz, begin and length in s."""
    done = subprocess.run(
        [NODE, "-e", READ], input=SOUNDS.read_text(), capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, list[list[float]]] = json.loads(done.stdout)
    return found


def test_every_type_has_a_sound_of_its_own() -> None:
    tones = sounds()
    assert set(tones) == set(TYPES)
    assert len({json.dumps(one) for one in tones.values()}) == len(TYPES)


def test_sounds_can_be_heard_and_are_short() -> None:
    for kind, tones in sounds().items():
        assert all(200 <= frequency <= 2000 and length > 0 for frequency, _, length in tones), kind
        assert max(begin + length for _, begin, length in tones) < 1.5, kind
