'Pages from notebooks: their prose, their code, what it showed, and where each name is explained.'
import ast
import re
from pathlib import Path

import nbformat
from nbdev.process import NBProcessor
from nbdev.processors import filter_stream_, hide_line, rm_header_dash, strip_ansi
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from links import page_name
from reference import names_of


def tidy(source: str) -> str:
    'Code without the flags for the tools.'
    return re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip()


def defined(source: str, public: dict) -> list:
    'The public names that an exported cell defines.'
    return [name for node in ast.parse(source).body for name in names_of(node) if name in public]


def anchors(names: list, module: str, anchor_of: dict) -> str:
    'The anchors that nbdev gives names, and links from the story to the reference.'
    ids = [anchor_of.get(name, name.lower()) for name in names]
    ids += [anchor for full, anchor in anchor_of.items() if '.' in full and full.split('.')[0] in names]
    marks = ''.join(f'<span id="{one}"></span>' for one in dict.fromkeys(ids))
    links = ' '.join(f'{{py:obj}}`{name} <{module}.{name}>`' for name in names)
    return f'{marks}\n\n{{.names}}\n{links}'


def launch(config, path: str) -> str:
    'Ways to run a notebook instead of reading it.'
    where = f'{config.user}/{config.repo}'
    setup = f'!git clone -q {config.git_url} && pip install -q ./{config.repo}\n%cd {config.repo}/nbs'
    return f"""<div class="launch">
<a class="colab" href="https://colab.research.google.com/github/{where}/blob/{config.branch}/{path}">Open in Colab</a>
<a class="binder" href="https://mybinder.org/v2/gh/{where}/{config.branch}?urlpath=lab/tree/{path}">Open in Binder</a>
<a class="github" href="{config.git_url}/blob/{config.branch}/{path}">Notebook on GitHub</a>
<details><summary>What Colab needs first</summary>

Colab opens the notebook alone. Give it the rest of the project in a cell of its own, at the top:

```ipython
{setup}
```
</details>
</div>"""


def last_sentence(text: str) -> str:
    'What was said just before a picture: words for those who do not see it.'
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)|[`*_#>|]', r'\1', text.strip().rsplit('\n\n', 1)[-1]).replace('\n', ' ').strip()
    sentences = re.split(r'(?<=[.:!?])\s+(?=[A-Z"*])', text)
    while len(sentences) > 1 and len(sentences[-1]) < 60: sentences[-2:] = [' '.join(sentences[-2:])]
    return sentences[-1]


def as_cells(cell, said: str, module: str, entries: dict, links, page: str):
    'What becomes of one cell, after somebody said something.'
    flags, source = cell.directives_, tidy(cell.source)
    if cell.cell_type == 'markdown':
        yield new_markdown_cell(links.mend(cell.source, links.root / 'nbs', page, module))
        return
    if cell.cell_type != 'code' or not source or flags.keys() & {'hide', 'default_exp'} or flags.get('include:') == ['false']: return
    names = defined(source, entries.get('names', {})) if flags.keys() & {'export', 'exports'} else []
    if names: yield new_markdown_cell(anchors(names, module, entries['anchors']))
    hidden = ['remove-input'] if flags.get('echo:') == ['false'] else ['hide-input'] if flags.get('code-fold:') in (['true'], ['show']) else []
    outputs = [] if flags.get('output:') == ['false'] else cell.get('outputs', [])
    yield new_code_cell(source, outputs=[nbformat.from_dict(one) for one in outputs], metadata=dict(tags=hidden, mystnb=dict(image=dict(alt=last_sentence(said)))))


def write_notebooks(sources: Path, links, contents, demo: dict) -> list:
    'A page for every notebook there is; the first page has the demo and the table of contents besides. Gives their names.'
    paths = sorted((links.root / 'nbs').glob('*.ipynb'))
    for path in paths:
        processor = NBProcessor(path, [strip_ansi, hide_line, filter_stream_, rm_header_dash], process=True)
        module = next((f'mnist_cnn.{cell.directives_["default_exp"][0]}' for cell in processor.nb.cells if 'default_exp' in cell.directives_), '')
        page, inside = page_name(path.name), path.relative_to(links.root).as_posix()
        links.origin[page] = inside
        cells, said = [], ''
        for cell in processor.nb.cells:
            if cell.cell_type == 'markdown': said = cell.source
            cells += as_cells(cell, said, module, links.package.get(module, {}), links, page)
        if path.stem == 'index':
            cells[1:1] = [new_markdown_cell(demo['block'])]
            cells.append(new_markdown_cell(contents([page_name(one.name) for one in paths if one.stem != 'index'])))
        else: cells[1:1] = [new_markdown_cell(launch(links.config, inside))]
        for number, cell in enumerate(cells): cell['id'] = f'cell-{number}'       # the same at every build
        notebook = new_notebook(cells=cells, metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python'),
                                                           language_info=dict(name='python')))
        nbformat.write(notebook, sources / f'{page}.ipynb')
    return [path.name for path in paths]
