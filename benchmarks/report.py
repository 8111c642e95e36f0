'What all benchmarks share: facts about the machine, and a table printed and saved as JSON.'
import datetime
import json
import os
import platform
import subprocess
import sys
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


# A process counts the memory of the one that started it as its own, so a small one does.
LAUNCHER = '''import os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(time.perf_counter() - start, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))'''


def process(command: list) -> tuple:
    'Seconds until a process ends, and the most memory that it had, MB; it must end well.'
    said = subprocess.run([sys.executable, '-S', '-c', LAUNCHER, *map(str, command)], capture_output=True, text=True, check=True).stdout
    seconds, megabytes, status = map(float, said.split())
    if status: raise SystemExit(f'{command} failed')
    return seconds, megabytes
