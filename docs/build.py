"""Build the documentation from the notebooks, the package and `docs/pages`: one folder, which any web server can serve.

    python docs/build.py             into _docs/
    python docs/build.py --out DIR   somewhere else

Everything comes from PyPI (`pip install -e ".[dev]"`) and npm, without which the first page has no demo. Quarto is not
needed, nor is PyTorch: nothing is imported that is documented. A warning is an error.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.chdir(ROOT)                                             # nbdev looks for settings.ini from here on upwards
sys.path.insert(0, str(ROOT / 'docs'))

from demo import add_demo
from links import Links
from notebooks import write_notebooks
from reference import read_package, write_reference
from results import write_results

PAGES = ROOT / 'docs' / 'pages'
ELSEWHERE = {'models/README.md': 'model-card', 'docs/CONTRIBUTING.md': 'contributing'}   # pages where GitHub looks for them
ORDER = [('Start', ['first-hour']),
         ('How to', ['your-own-images', 'train-on-kaggle', 'serve-it', 'export-it']),
         ('The notebooks', None),                          # all there are, by file name
         ('Reference', ['api/index', 'results', 'model-card', 'data-card']),
         ('The project', ['contributing', 'changelog'])]


def write_pages(sources: Path, links: Links):
    'The pages that are no notebooks, with their links led to where things are on the site.'
    for path in [*sorted(PAGES.glob('*.md')), *(ROOT / name for name in ELSEWHERE)]:
        name = ELSEWHERE.get(path.relative_to(ROOT).as_posix(), path.stem)
        text = path.read_text(encoding='utf-8')
        for word, value in links.addresses().items(): text = text.replace(f'{{{word}}}', value)
        text = links.mend(text, path.parent, name)
        (sources / f'{name}.md').write_text(text, encoding='utf-8')
        links.origin[name] = path.relative_to(ROOT).as_posix()


def contents(notebooks: list) -> str:
    'The sidebar: what teaches, what helps, what explains, what can be looked up.'
    return '\n\n'.join(f'```{{toctree}}\n:hidden:\n:caption: {caption}\n\n' + '\n'.join(notebooks if pages is None else pages) + '\n```'
                       for caption, pages in ORDER)


def write_sources(sources: Path) -> dict:
    'All that Sphinx reads.'
    shutil.rmtree(sources.parent, ignore_errors=True)
    (sources / 'api').mkdir(parents=True)
    package = read_package(ROOT)
    links = Links(ROOT, package, ELSEWHERE)
    demo = add_demo(ROOT, sources.parent / 'demo')
    notebooks = write_notebooks(sources, links, contents, demo)
    write_reference(sources, package, links, notebooks)
    write_results(sources, ROOT / 'benchmarks' / 'results', links)
    write_pages(sources, links)
    (sources / 'origin.json').write_text(json.dumps(links.origin))
    return demo


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=ROOT / '_docs', help='where the site goes (default: _docs)')
    parser.add_argument('--need-demo', action='store_true', help='fail where the demo on the first page cannot be built')
    args = parser.parse_args()
    out = args.out.resolve()
    work = out.parent / '_proc'                            # what Sphinx reads, and what it leaves beside the site
    demo = write_sources(work / 'pages')
    if args.need_demo and not demo['live']: sys.exit(f'the site was not built: {demo["says"]}')
    site = work / 'html'
    code = subprocess.call([sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html', '-d', str(work / 'doctrees'),
                            '-c', str(ROOT / 'docs'), str(work / 'pages'), str(site)])
    if code: sys.exit(code)
    shutil.rmtree(out, ignore_errors=True)
    site.rename(out)
    (work / 'demo').rename(out / 'demo')
    print(f'the site is in {out}, {demo["says"]}')


if __name__ == '__main__': main()
