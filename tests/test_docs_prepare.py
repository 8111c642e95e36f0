'The preprocessing of the browser against the package\'s own, in Node.js.'
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from drawings import frames
from mnist_cnn.imaging import prepare

SCRIPT = Path(__file__).resolve().parents[1] / 'mnist_cnn' / 'static' / 'prepare.js'
RUN = """
import fs from 'node:fs'
import { prepare } from './prepare.mjs'
const bytes = new Uint8Array(fs.readFileSync('frames.bin')), side = Number(process.argv[2]), answers = []
for (let at = 0; at < bytes.length; at += side * side) {
  const { image, count, box } = prepare(bytes.slice(at, at + side * side))
  answers.push({ image: [...image], count, box })
}
fs.writeFileSync('answers.json', JSON.stringify(answers))
"""


def in_node(folder, drawn):
    'What prepare.js makes of drawings.'
    if not shutil.which('node'): pytest.skip('Node.js is not installed')
    shutil.copy(SCRIPT, folder / 'prepare.mjs')
    (folder / 'run.mjs').write_text(RUN)
    drawn.tofile(folder / 'frames.bin')
    subprocess.run(['node', 'run.mjs', str(drawn.shape[1])], cwd=folder, check=True, timeout=300)
    return json.loads((folder / 'answers.json').read_text())


@pytest.mark.parametrize('count', [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_equals_python(tmp_path, count):
    drawn = frames(count)
    steps, ruled, apart = {}, 0, []
    for number, (frame, found) in enumerate(zip(drawn, in_node(tmp_path, drawn))):
        wanted = prepare(frame, steps)
        ruled += steps['lines removed'] is not steps['ink']
        difference = np.abs(np.float32(found['image']).reshape(28, 28) - wanted.image).max()
        if difference >= 1e-4 or found['count'] != wanted.count or tuple(found['box']) != wanted.box: apart.append((number, float(difference)))
    print(f'{ruled} of {count} drawings had lines that were taken away')
    assert apart == [] and ruled > count / 20


def test_dark_on_light(tmp_path):
    'A sheet that was filled with ink, and a digit left blank in it: the border says which is paper.'
    drawn = 255 - frames(20)
    for frame, found in zip(drawn, in_node(tmp_path, drawn)):
        assert np.abs(np.float32(found['image']).reshape(28, 28) - prepare(frame).image).max() < 1e-4
