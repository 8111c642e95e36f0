'The page of measured results, from the files that the benchmarks wrote: it cannot be out of date.'
import json
from pathlib import Path

TITLES = {'recipe': 'Accuracy on MNIST, and what each part of the recipe buys', 'speedrun': 'How fast to 99 %',
          'train': 'Seconds for an epoch', 'handwriting': 'Pictures that are not MNIST', 'robustness': 'Damaged and odd pictures',
          'predict': 'Pictures a second', 'start': 'Time until the first answer', 'compare': 'Other programs, the same pictures',
          'web': 'The server under load'}
LEFT_OUT = {'table', 'command', 'date', 'processor', 'cores', 'load', 'python', 'torch', 'file', 'kind'}
KINDS = {'choice': 'A part at a time: trained on 50,000 training images, scored on the other 10,000', 'seeds': 'On all 60,000, scored on the test images'}


def read(path: Path) -> dict:
    'A result: a JSON object with a table, or a line of JSON for each run, which then are the table.'
    if path.suffix == '.json': return json.loads(path.read_text(encoding='utf-8'))
    rows = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]
    common = {key: rows[-1][key] for key in LEFT_OUT & rows[-1].keys()}
    return dict(common, table=rows)


def shown(value) -> str:
    if isinstance(value, float): return f'{value:.4g}'
    if isinstance(value, bool) or value is None: return {True: 'yes', False: 'no', None: ''}[value]
    if isinstance(value, int): return f'{value:,}'
    return str(value).replace('|', '\\|')


def table(rows: list) -> str:
    'Rows of numbers and words; what is a list or a table itself is left to the file.'
    def plain(value): return not isinstance(value, (dict, list))
    columns = list(dict.fromkeys(key for row in rows for key, value in row.items() if plain(value) and key not in LEFT_OUT))
    columns = [key for key in columns if len({shown(row.get(key)) for row in rows}) > 1 or len(rows) == 1]
    lines = ['| ' + ' | '.join(key.replace('_', ' ') for key in columns) + ' |', '|' + '---|' * len(columns)]
    return '\n'.join(lines + ['| ' + ' | '.join(shown(row.get(key)) for key in columns) + ' |' for row in rows])


def tables(rows: list) -> str:
    'One table, or one for each kind of row.'
    kinds = list(dict.fromkeys(row.get('kind') for row in rows))
    if kinds == [None]: return table(rows)
    rows = sorted(rows, key=lambda row: row.get('accuracy', 0))
    return '\n\n'.join(f'**{KINDS.get(kind, kind)}**\n\n{table([row for row in rows if row.get("kind") == kind])}' for kind in kinds)


def section(name: str, result: dict, link: str) -> str:
    'One result: its title, the command, the table, and where and when it was measured.'
    load = result.get('load') or []
    where = [result.get('date'), result.get('processor'), f'{result["cores"]} cores' if 'cores' in result else '',
             f'load {load[0]}' if load else '', f'torch {result["torch"]}' if 'torch' in result else '']
    command = result.get('command') or f'python benchmarks/{name}.py'
    return '\n\n'.join([f'## {TITLES.get(name, name.replace("_", " ").capitalize())}', f'```shell\n{command}\n```', tables(result['table']),
                        ' · '.join(filter(None, where)) + f' · [{Path(link).name}]({link})'])


def write_results(sources: Path, folder: Path, links):
    order = list(TITLES)
    paths = sorted((path for path in folder.iterdir() if path.suffix in ('.json', '.jsonl')),
                   key=lambda path: (order.index(path.stem) if path.stem in order else len(order), path.name))
    sections = [section(path.stem, read(path), links.blob(path.relative_to(links.root).as_posix())) for path in paths]
    head = ('# Measured results\n\nEach table was made by the command above it, and printed here from the file that it wrote. '
            'MNIST\'s test images chose nothing: no recipe, no weights, no threshold.')
    (sources / 'results.md').write_text('\n\n'.join([head, *sections]) + '\n', encoding='utf-8')
    links.origin['results'] = 'benchmarks'
