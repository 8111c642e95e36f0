"""Make everything that is made from the notebooks, or check that it is up to date.

    python tools/build.py            export the package, write tests, README and kaggle/, clean the notebooks
    python tools/build.py --check    change nothing; exit 1 and name what is out of date
    python tools/build.py --run      run all notebooks first, and store their outputs (or those named)
"""
import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbdev.clean import clean_nb
from nbdev.config import get_config
from nbdev.export import nb_export
from nbdev.doclinks import _build_modidx
from execnb.nbio import dict2nb, nb2str, read_nb

from make_readme import make_readme
from make_tests import make_test, test_path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / 'nbs').glob('*.ipynb'))


def run(notebook: Path):
    'Run a notebook from top to bottom in its folder and store what it shows; progress bars leave nothing behind.'
    from nbclient import NotebookClient
    os.environ.update(TQDM_DISABLE='1')
    cells = nbformat.read(notebook, as_version=4)
    NotebookClient(cells, timeout=600, kernel_name='python3', record_timing=False, resources={'metadata': {'path': str(notebook.parent)}}).execute()
    nbformat.write(cells, notebook)


def clean(notebook: Path):
    'Take out of a notebook what differs from run to run: execution counts, time stamps, kernel names.'
    nb = read_nb(notebook)
    before = nb2str(nb)
    clean_nb(nb)
    nb = dict2nb(nb)
    for cell in nb.cells:
        cell.pop('execution_count', None) if cell.cell_type != 'code' else cell.update(execution_count=None)
    if nb2str(nb) != before: notebook.write_text(nb2str(nb), encoding='utf-8')


def build(root: Path):
    'Export, index, tests, README and kaggle/ below a folder that holds the notebooks.'
    os.chdir(root)
    get_config.cache_clear()
    config = get_config()
    for notebook in sorted((root / 'nbs').glob('_kaggle/*.ipynb')): clean(notebook)
    for notebook in sorted((root / 'nbs').glob('*.ipynb')):
        clean(notebook)
        if notebook.stem != 'index': nb_export(notebook, config.lib_path)
    _build_modidx()
    for notebook in sorted((root / 'nbs').glob('*.ipynb')):
        test_path(root, notebook).write_text(make_test(root, notebook), encoding='utf-8')
    (root / 'README.md').write_text(make_readme(root), encoding='utf-8')
    # in a process of its own, with the package that has just been exported
    subprocess.run([sys.executable, '-c', 'from mnist_cnn.kaggle import build; build()'], cwd=root, check=True)


def differences(root: Path):
    'What a fresh build would change, as the lines of a diff.'
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / root.name
        tracked = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=root, capture_output=True, text=True, check=True)
        for name in filter(lambda name: (root / name).is_file(), tracked.stdout.splitlines()):
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, fresh / name)
        build(fresh)
        for path in sorted({p.relative_to(fresh) for p in fresh.rglob('*') if p.suffix in {'.py', '.md', '.ipynb', '.json'}}):
            old, new = (folder / path for folder in (root, fresh))
            lines = [file.read_text(encoding='utf-8').splitlines() if file.exists() else [] for file in (old, new)]
            yield from difflib.unified_diff(*lines, f'{path} (as it is)', f'{path} (as the notebooks say)', lineterm='', n=1)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('notebooks', nargs='*', type=Path, default=NOTEBOOKS, help='with --run: only these')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--run', action='store_true')
    args = parser.parse_args()
    if args.run:
        for notebook in args.notebooks:
            print('running', notebook.name, flush=True)
            run(notebook.resolve())
    if args.check:
        found = list(differences(ROOT))
        print('\n'.join(found[:200]) or 'everything generated is up to date')
        sys.exit(bool(found))
    build(ROOT)
