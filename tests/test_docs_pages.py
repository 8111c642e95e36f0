'The code in the pages that are no notebooks: Python is run as a reader would, commands are checked word by word.'
import re
import shlex
import shutil
from pathlib import Path

import pytest

from mnist_cnn.cli import make_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / 'docs' / 'pages').glob('*.md'))


def blocks(path, language):
    'The fenced blocks of a language.'
    return [re.sub(rf'^{found[1]}', '', found[2], flags=re.M) for found in
            re.finditer(rf'^( *)```{language}\n(.*?)^ *```$', path.read_text(encoding='utf-8'), re.M | re.S)]


@pytest.mark.slow
@pytest.mark.parametrize('path', [path for path in PAGES if blocks(path, 'python')], ids=lambda path: path.stem)
def test_python(path, tmp_path, monkeypatch):
    'In a folder that has a few pictures, with the sample in place of MNIST.'
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MNIST_ROOT', str(ROOT / 'mnist_cnn' / 'sample'))
    for picture in (ROOT / 'mnist_cnn' / 'examples').glob('[0-9]_*'):
        (tmp_path / 'pictures' / picture.name[0]).mkdir(parents=True)
        shutil.copy(picture, tmp_path / 'pictures' / picture.name[0])
    (tmp_path / 'pictures' / '3' / 'damaged.jpg').write_bytes(b'not a picture')
    space = {'__name__': path.stem}
    for number, block in enumerate(blocks(path, 'python')): exec(compile(block, f'{path.name}, block {number + 1}', 'exec'), space)


def commands():
    'Every command in a shell block of a page, or of the README: the page and the words.'
    for path in [*PAGES, ROOT / 'docs' / 'CONTRIBUTING.md', ROOT / 'README.md']:
        for block in blocks(path, 'shell'):
            for line in block.splitlines():
                for part in line.split('&&'):
                    words = shlex.split(part, comments=True)
                    if words: yield path.name, words


def test_commands():
    'Each `mnist-cnn` has that subcommand and those options, each extra is in settings.ini, each program is where it is said to be.'
    from configparser import ConfigParser
    settings = ConfigParser(delimiters=['='])
    settings.read(ROOT / 'settings.ini', encoding='utf-8')
    checked = 0
    for page, words in commands():
        if words[0] == 'mnist-cnn':
            try: make_parser().parse_args(words[1:])
            except SystemExit: raise AssertionError(f'{page}: {" ".join(words)}') from None
        elif words[0] == 'pip' and '[' in words[-1]:
            for extra in re.search(r'\[(.*)\]', words[-1])[1].split(','): assert f'{extra}_requirements' in settings['DEFAULT'], (page, words)
        elif words[0] == 'python' and words[1] != '-m': assert (ROOT / words[1]).is_file(), (page, words)
        else: continue
        checked += 1
    assert checked > 20


def test_no_npm(tmp_path, monkeypatch):
    'Without npm the first page has a picture, and the build says so.'
    monkeypatch.syspath_prepend(ROOT / 'docs')
    demo = __import__('demo')
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    made = demo.add_demo(ROOT, tmp_path / 'demo')
    assert not made['live'] and 'WITHOUT' in made['says'] and 'npm' in made['says']
    assert [file.name for file in (tmp_path / 'demo').iterdir()] == ['still.png'] and 'demo/still.png' in made['block']


def test_another_runtime_is_refused(tmp_path, monkeypatch):
    'What npm brings has to be what was tested, byte for byte.'
    monkeypatch.syspath_prepend(ROOT / 'docs')
    demo = __import__('demo')
    monkeypatch.setattr(shutil, 'which', lambda name: name)
    monkeypatch.setattr(demo.subprocess, 'run', lambda command, **options: Path(command[-1], 'other.tgz').write_bytes(b'something else'))
    made = demo.add_demo(ROOT, tmp_path / 'demo')
    assert not made['live'] and 'not the one that was tested' in made['says']
