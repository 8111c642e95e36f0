'The page of measured results, from the files that the benchmarks wrote: it cannot be out of date.'
import json
from pathlib import Path

TITLES = {'recipe': 'Accuracy on MNIST, and what each part of the recipe buys', 'speedrun': 'How fast to 99 %',
          'train': 'Seconds for an epoch', 'handwriting': 'Pictures that are not MNIST', 'robustness': 'Damaged and odd pictures',
          'memory': 'Memory while training', 'predict': 'Images a second', 'picture': 'From a file to an answer', 'many': 'A million images',
          'start': 'Time until the first answer', 'compare': 'Other ways to read MNIST', 'kaggle': 'Several networks, several views of each image',
          'web': 'The server under load'}
LEFT_OUT = {'table', 'command', 'date', 'processor', 'cores', 'load', 'python', 'torch', 'file', 'kind', 'curve', 'rounds'}
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
    if isinstance(value, list): return ', '.join(map(shown, value))
    return str(value).replace('|', '\\|')


def shown_in(rows: list) -> list:
    'The columns of a table: what differs from row to row, and is no table itself.'
    columns = dict.fromkeys(key for row in rows for key, value in row.items() if key not in LEFT_OUT and not isinstance(value, dict))
    return [key for key in columns if len({shown(row.get(key)) for row in rows}) > 1 or len(rows) == 1]


def series(row: dict) -> str:
    'A row that holds lists, such as accuracies by amount of damage: a table of its own, lying down.'
    first, *others = [(key, value) for key, value in row.items() if isinstance(value, list)]
    words = ', '.join(str(value) for key, value in row.items() if isinstance(value, str))
    lines = [f'| {words or first[0]} | ' + ' | '.join(map(shown, first[1])) + ' |', '|' + '---|' * (len(first[1]) + 1)]
    return '\n'.join(lines + [f'| {key} | ' + ' | '.join(map(shown, value)) + ' |' for key, value in others])


def table(rows: list) -> str:
    'A table of results; each row a table of its own where it holds long lists.'
    if any(isinstance(value, list) and len(value) > 5 for key, value in rows[0].items() if key not in LEFT_OUT): return '\n\n'.join(map(series, rows))
    columns = shown_in(rows)
    lines = ['| ' + ' | '.join(key.replace('_', ' ') for key in columns) + ' |', '|' + '---|' * len(columns)]
    return '\n'.join(lines + ['| ' + ' | '.join(shown(row.get(key)) for key in columns) + ' |' for row in rows])


def tables(result: dict) -> str:
    'Every table in a result: one, or several by name, or one for each kind of row.'
    found = {name: rows for name, rows in result.items() if isinstance(rows, list) and rows and isinstance(rows[0], dict)}
    kinds = list(dict.fromkeys(row.get('kind') for row in found.get('table', [])))
    if kinds not in ([], [None]):
        rows = found.pop('table')
        found |= {KINDS.get(kind, str(kind)): [row for row in rows if row.get('kind') == kind] for kind in kinds}
    return '\n\n'.join((f'**{name.capitalize()}**\n\n' if len(found) > 1 else '') + table(rows) for name, rows in found.items())


def section(path: Path, result: dict, link: str) -> str:
    'One result: its title, the command, the tables, and where and when it was measured.'
    title = TITLES.get(path.stem, path.stem.replace('_', ' ').capitalize())
    if path.suffix == '.jsonl' and path.with_suffix('.json').exists(): title += ', run by run'
    facts = result.get('table', [{}])[-1] | result                 # some say it in every row
    where = [facts.get('date'), facts.get('processor'), f'{facts["cores"]} cores' if 'cores' in facts else '',
             f'load {facts["load"][0]}' if facts.get('load') else '', f'torch {facts["torch"]}' if 'torch' in facts else '']
    command = result.get('command') or f'python benchmarks/{path.stem}.py'
    return '\n\n'.join([f'## {title}', f'```shell\n{command}\n```', tables(result),
                        ' · '.join(filter(None, where)) + f' · [{Path(link).name}]({link})'])


def write_results(sources: Path, folder: Path, links):
    order = list(TITLES)
    paths = sorted((path for path in folder.iterdir() if path.suffix in ('.json', '.jsonl')),
                   key=lambda path: (order.index(path.stem) if path.stem in order else len(order), path.name))
    sections = [section(path, read(path), links.blob(path.relative_to(links.root).as_posix())) for path in paths]
    head = ('# Measured results\n\nEach table was made by the command above it, and printed here from the file that it wrote. '
            'MNIST\'s test images chose nothing: no recipe, no weights, no threshold.')
    (sources / 'results.md').write_text('\n\n'.join([head, *sections]) + '\n', encoding='utf-8')
    links.origin['results'] = 'benchmarks'
