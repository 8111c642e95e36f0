"""Requests a second and how long they take, over real sockets: a server process, and clients in a process of their own.

    python benchmarks/web.py [--requests 5000] [--connections 1 8 50] [--out benchmarks/results/web.json]

Each connection stays open and asks again as soon as it has its answer. Every answer is checked: a wrong digit or a status that is not 200 is counted.
The table has milliseconds. `server memory` is the server's resident memory before, at the highest and after, in MB. One row, `an empty answer`, is what
the server needs for a request that reads nothing (`GET /healthz`): the price of HTTP.
"""
import argparse
import http.client
import io
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from report import machine, save

ROOT = Path(__file__).resolve().parent.parent


def start(folder: str = '.'):
    'A server of one thread of PyTorch on a free port, and its address.'
    environment = os.environ | dict(PYTHONPATH=str(ROOT), OMP_WAIT_POLICY='PASSIVE')
    code = 'import sys; from mnist_cnn.cli import main; sys.exit(main(["web", "--port", "0"]))'
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=folder)
    return process, process.stdout.readline().split()[0].removeprefix('http://')


def encoded(picture: Image.Image, kind: str) -> bytes:
    'The bytes of a file.'
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def pictures() -> dict:
    'What is sent: name -> (bytes, the digit that must come back).'
    examples = ROOT / 'mnist_cnn' / 'examples'
    photo = encoded(Image.open(examples / '7_paper.jpg').resize((600, 600)), 'JPEG')
    return {'28x28 PNG': ((examples / '8_28x28.png').read_bytes(), 8), '600x600 photo': (photo, 7), 'an empty answer': (None, None)}


def client(address: str, picture: bytes | None, digit: int, requests: int, results: list):
    'One connection that asks again and again.'
    connection = http.client.HTTPConnection(address, timeout=60)
    for _ in range(requests):
        begin = time.perf_counter()
        if picture: connection.request('POST', '/predict', picture, {'Content-Type': 'image/png'})
        else: connection.request('GET', '/healthz')
        answer = connection.getresponse()
        content = answer.read()
        spent = time.perf_counter() - begin
        right = answer.status == 200 and (picture is None or json.loads(content)['predictions'][0]['digit'] == digit)
        results.append((spent, answer.status if right or answer.status != 200 else 'wrong digit'))


def crowd(address: str, picture: bytes | None, digit: int, connections: int, requests: int) -> tuple:
    'All connections at once; seconds in all, and (seconds, status) of each request.'
    results, each = [], max(1, requests // connections)
    threads = [threading.Thread(target=client, args=(address, picture, digit, each, results)) for _ in range(connections)]
    begin = time.perf_counter()
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return time.perf_counter() - begin, results


def memory(process: int) -> float:
    'Megabytes that a process holds in memory; 0 where that cannot be asked.'
    status = Path(f'/proc/{process}/status')
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith('VmRSS')) / 1024 if status.exists() else 0


def measure(server: subprocess.Popen, address: str, name: str, picture: bytes | None, digit: int, connections: int, requests: int) -> dict:
    'A row of the table.'
    held = [memory(server.pid)]
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        pool.apply(crowd, (address, picture, digit, connections, 2 * connections))   # warm
        load, task = os.getloadavg()[0], pool.apply_async(crowd, (address, picture, digit, connections, requests))
        while not task.ready():
            held.append(memory(server.pid))
            task.wait(.1)
        seconds, results = task.get()
    times = 1000 * np.array([spent for spent, status in results])
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(2).tolist()
    held.append(memory(server.pid))
    return dict(picture=name, connections=connections, requests=len(times), per_second=round(len(times) / seconds, 1), p50=p50, p95=p95, p99=p99,
                statuses={str(status): count for status, count in Counter(status for _, status in results).items()},
                server_memory=[round(value) for value in (held[0], max(held), held[-1])], load=round(load, 1))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--requests', type=int, default=5000, help='for each row (default: 5000)')
    parser.add_argument('--connections', type=int, nargs='+', default=[1, 8, 50])
    parser.add_argument('--out', default='benchmarks/results/web.json')
    args = parser.parse_args()
    server, address = start()
    try: table = [measure(server, address, name, *sent, connections, args.requests) for name, sent in pictures().items() for connections in args.connections]
    finally:
        server.terminate()
        server.wait(30)
    save(args.out, dict(command='python benchmarks/web.py', **machine(), requests=args.requests, table=table))
