'Write README.md, and the pictures in it, from `nbs/index.ipynb`.'
import base64
import re
from pathlib import Path

from execnb.nbio import read_nb


def links(text: str) -> str:
    'Links between notebooks, as seen from the top folder.'
    return re.sub(r'\]\((?!\w+:|#|/)(\.\./)?([^)]+)\)', lambda m: f']({m[2] if m[1] else "nbs/" + m[2]})', text)


def outputs(root: Path, cell, name: str) -> str:
    'What a cell showed: pictures as files of their own, everything else as text.'
    parts = []
    for number, output in enumerate(cell.get('outputs', [])):
        data = output.get('data', {})
        if 'image/png' in data:
            path = root / 'nbs' / 'images' / f'{name}_{number}.png'
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(base64.b64decode(data['image/png']))
            parts.append(f'![{name.replace("_", " ")}]({path.relative_to(root).as_posix()})')
        elif text := output.get('text') or data.get('text/plain'):
            parts.append('\n'.join('    ' + line for line in ''.join(text).rstrip().splitlines()))
    return '\n\n'.join(parts)


def make_readme(root: Path) -> str:
    'The text of README.md.'
    parts = ['<!-- Made from nbs/index.ipynb by tools/build.py: edit the notebook, not this file. -->']
    for cell in read_nb(root / 'nbs' / 'index.ipynb').cells:
        if cell.cell_type == 'markdown': parts.append(links(cell.source))
        if cell.cell_type != 'code': continue
        flags, source = re.findall(r'^#\|\s*(.+)$', cell.source, re.M), re.sub(r'^#\|.*\n?', '', cell.source, flags=re.M).strip()
        label = next((flag.split(':')[1].strip() for flag in flags if flag.startswith('label')), 'picture')
        if 'hide' in flags: continue
        if source and 'echo: false' not in flags: parts.append(f'```python\n{source}\n```')
        if shown := outputs(root, cell, label): parts.append(shown)
    return '\n\n'.join(parts) + '\n'
