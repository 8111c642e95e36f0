'What all benchmarks share: facts about the machine, and a table printed and saved as JSON.'
import datetime
import json
import os
import platform
from pathlib import Path

import torch


def machine() -> dict:
    'Where and when it was measured, and how busy the machine was.'
    info = Path('/proc/cpuinfo')
    names = [line.split(':')[1].strip() for line in info.read_text().splitlines() if line.startswith('model name')] if info.exists() else []
    return dict(date=datetime.date.today().isoformat(), processor=names[0] if names else platform.processor(), cores=os.cpu_count(),
                load=[round(value, 2) for value in os.getloadavg()], python=platform.python_version(), torch=torch.__version__)


def save(path: str, result: dict):
    'Write a result and print its table.'
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(result, indent=1) + '\n')
    columns = list(result['table'][0])
    rows = [columns] + [[str(row[column]) for column in columns] for row in result['table']]
    for row in rows: print('  '.join(cell.ljust(max(len(line[i]) for line in rows)) for i, cell in enumerate(row)))
    print('saved:', path)
