'The web app as it is used: a server process, real sockets, and the page in a real browser.'
import concurrent.futures
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip('flask', reason='Flask is not installed: pip install "mnist_cnn[web]"')
pytest.importorskip('waitress', reason='waitress is not installed: pip install "mnist_cnn[web]"')

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / 'mnist_cnn' / 'examples'
BAD_INPUTS = ROOT.parent / 'shared' / 'checks' / 'bad_inputs.py'
MB = 2 ** 20


class Process:
    'A server of its own on a free port.'
    def __init__(self, folder):
        self.log = folder / 'server.log'
        code = 'import sys; from mnist_cnn.cli import main; sys.exit(main(["web", "--port", "0"]))'
        environment = os.environ | dict(PYTHONPATH=str(ROOT), OMP_WAIT_POLICY='PASSIVE', TMPDIR=str(folder / 'tmp'))
        (folder / 'tmp').mkdir()
        with open(self.log, 'w') as log:
            self.process = subprocess.Popen([sys.executable, '-c', code], stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        self.wait_for(lambda: '(Ctrl-C' in self.log.read_text())
        self.url = self.log.read_text().split()[0]
        self.address = ('127.0.0.1', int(self.url.rsplit(':', 1)[1]))
        self.scratch = folder / 'tmp'

    def wait_for(self, condition, seconds=60):
        'Wait until something is so.'
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()[-2000:]
            time.sleep(.02)

    def ask(self, method='POST', path='/predict', body=None, headers={}, timeout=30):
        'Status, headers and content of one answer.'
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally: connection.close()

    def post(self, *files, path='/predict'):
        'Status and JSON of an answer to a form with files: (name, bytes).'
        body, kind = form(files)
        status, headers, content = self.ask(path=path, body=body, headers={'Content-Type': kind})
        return status, json.loads(content)

    def memory(self):
        'Megabytes in memory, now.'
        return next(int(line.split()[1]) for line in Path(f'/proc/{self.process.pid}/status').read_text().splitlines() if line.startswith('VmRSS')) / 1024

    def end(self):
        'Stop it, and say how it ended.'
        if self.process.poll() is None: self.process.terminate()
        try: return self.process.wait(20)
        finally: self.process.kill()


def form(files, field='file'):
    'A multipart body, with any bytes as the name of a file.'
    edge, parts = b'edge-of-a-part', []
    for name, content in files:
        name = name if isinstance(name, bytes) else name.replace('\\', '\\\\').replace('"', '\\"').encode()
        parts.append(b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n' % (edge, field.encode(), name, content))
    return b''.join(parts) + b'--%s--\r\n' % edge, 'multipart/form-data; boundary=' + edge.decode()


def seven(size=(200, 200), mode='L'):
    'A plain seven, dark on light.'
    picture = Image.new('L', size, 245)
    width, height = size
    ImageDraw.Draw(picture).line([(.3 * width, .25 * height), (.7 * width, .25 * height), (.42 * width, .78 * height)], 20, max(2, width // 16), 'curve')
    return picture.convert(mode)


def encoded(picture, kind='PNG', **options):
    'The bytes of a file.'
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    server = Process(tmp_path_factory.mktemp('server'))
    yield server
    scratch = list(server.scratch.iterdir())
    assert server.end() == 0, server.log.read_text()[-2000:]
    assert 'Traceback' not in server.log.read_text() and not scratch, scratch


def corpus():
    'Uploads of our own, with the status that each must lead to and the digit it must give: name -> (bytes, status, digit).'
    png, jpeg = encoded(seven()), encoded(seven(), 'JPEG')
    sideways = Image.Exif()
    sideways[0x0112] = 6
    cases = {path.name: (path.read_bytes(), 200, int(path.name[0])) for path in sorted(EXAMPLES.iterdir()) if path.name[0].isdigit()}
    cases |= {'cmyk': (encoded(seven(mode='RGB').convert('CMYK'), 'JPEG'), 200, 7), '1 bit': (encoded(seven(mode='1')), 200, 7),
              '16 bits': (encoded(Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257)), 200, 7),
              'sideways': (encoded(seven().rotate(90, expand=True), 'JPEG', exif=sideways), 200, 7), '12 megapixels': (encoded(seven((4000, 3000)), 'JPEG'), 200, 7)}
    cases |= {'blank': (encoded(Image.new('L', (200, 200), 255)), 200, None), 'one pixel': (encoded(Image.new('L', (1, 1))), 200, None),
              'a line of paper': (encoded(Image.new('L', (10_000, 1), 255)), 200, None)}
    cases |= {'half a PNG': (png[:len(png) // 2], 400, None), 'half a JPEG': (jpeg[:len(jpeg) // 3], 400, None), 'a wrong checksum': (png[:29] + bytes(4) + png[33:], 400, None),
              'nothing': (b'', 400, None), 'HTML': (b'<!doctype html><script>alert(1)</script>', 415, None), 'SVG': (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415, None),
              'PDF': (b'%PDF-1.7\n', 415, None), 'PostScript': (b'%!PS-Adobe-3.0 EPSF-3.0\n', 415, None), 'BMP': (encoded(seven(), 'BMP'), 415, None),
              'GIF': (encoded(seven(), 'GIF'), 415, None), '36 megapixels': (encoded(Image.new('1', (6000, 6000))), 413, None)}
    return cases


@pytest.mark.parametrize('name', corpus())
def test_every_kind_of_upload(server, name):
    content, status, digit = corpus()[name]
    body, kind = form([(name, content)])
    for got, headers, answer in [server.ask(body=body, headers={'Content-Type': kind}), server.ask(body=content, headers={'Content-Type': 'text/html'})]:
        assert got == status and b'<' not in answer and headers['X-Content-Type-Options'] == 'nosniff' and 'Content-Security-Policy' in headers
        answer = json.loads(answer)
        if status == 200:
            found, = answer['predictions']
            assert found['digit'] == digit if digit is not None else found['status'] != 'ok', found
        else: assert headers['Content-Type'] == 'application/problem+json' and answer['status'] == status and answer['detail']


@pytest.mark.skipif(not BAD_INPUTS.exists(), reason='shared/checks is not beside this checkout')
def test_the_manifest_of_bad_inputs(server, tmp_path):
    subprocess.run([sys.executable, str(BAD_INPUTS), str(tmp_path)], check=True, capture_output=True)
    cases = [case for case in json.loads((tmp_path / 'manifest.json').read_text()) if 'upload' in case['surface'] and case['path']]
    assert len(cases) > 40
    wrong = []
    for case in cases:
        start = time.perf_counter()
        status, answer = server.post((case.get('filename', Path(case['path']).name).encode(), (tmp_path / case['path']).read_bytes()))
        found = answer.get('predictions', [{}])[0]
        right = status == case['http'] and time.perf_counter() - start < 2
        if case['expect'].startswith('digit:'): right &= found.get('digit') == int(case['expect'][6:])
        if case['expect'] == 'uncertain': right &= found.get('status') not in ('ok', None)
        if not right: wrong.append((case['id'], case['expect'], case['http'], status, found or answer))
    assert not wrong, wrong


@pytest.mark.parametrize('name', ['../../etc/passwd.png', '..\\..\\win.png', '/abs/path.png', 'a\x00b.png', '<img src=x onerror=alert(1)>.png', 'x' * 300 + '.png', '.png',
                                  'noext', '日本語 7.png', 'con.png', 'a;rm -rf .png', 'a"b.png', '%2e%2e%2f.png', '{{7*7}}.png', '\u202egnp.7'])
def test_a_file_name_is_data(server, name):
    body, kind = form([(name, (EXAMPLES / '7_paper.jpg').read_bytes())])
    status, headers, answer = server.ask(body=body, headers={'Content-Type': kind})
    found, = json.loads(answer)['predictions']
    assert status == 200 and found['digit'] == 7 and b'<' not in answer
    assert found['filename'].isprintable() and len(found['filename']) <= 255
    if name.isprintable(): assert found['filename'] == name[:255]


def test_a_bad_file_among_good_ones(server):
    status, answer = server.post(('3.jpg', (EXAMPLES / '3_chalk.jpg').read_bytes()), ('bad.png', b'GIF89a'), ('8.png', (EXAMPLES / '8_28x28.png').read_bytes()))
    assert status == 200 and [found.get('digit') for found in answer['predictions']] == [3, None, 8] and answer['predictions'][1]['code'] == 415


def test_a_request_without_a_picture(server):
    png = encoded(seven())
    for body, kind in [form([('7.png', png)], field='picture'), form([(b'\xff\xfe.png', png)]), (b'{"file": "7.png"}', 'application/json'), (b'file=7', 'application/x-www-form-urlencoded'),
                       (b'', 'image/png'), (b'--edge\r\nno end', 'multipart/form-data; boundary=edge'), (png, 'multipart/form-data')]:
        status, headers, answer = server.ask(body=body, headers={'Content-Type': kind})
        assert status == 400 and json.loads(answer)['status'] == 400, (body[:40], answer)
    assert server.ask('GET')[0] == 405 and server.ask('GET', '/nowhere')[0] == 404 and server.ask('GET', '/static/../web.py')[0] == 404


def test_fifty_at_once(server):
    names = [path.name for path in EXAMPLES.iterdir() if path.name[0].isdigit()]
    work = (names * 5)[:50]
    large = encoded(seven((4000, 3000)), 'JPEG')
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda name: server.post((name, (EXAMPLES / name).read_bytes())), work))
        assert all(status == 200 and answer['predictions'][0]['digit'] == int(name[0]) for name, (status, answer) in zip(work, answers))
        before = server.memory()
        answers = list(pool.map(lambda _: server.post(('7.jpg', large)), range(50)))
    assert {status for status, _ in answers} <= {200, 429, 503} and sum(status == 200 for status, _ in answers) >= 40
    assert all(answer['predictions'][0]['digit'] == 7 for status, answer in answers if status == 200) and server.memory() < before + 300


def test_a_body_that_is_too_large(server):
    kinds = {'told beforehand': bytes(30 * MB), 'in chunks': iter([bytes(MB)] * 30), 'in a form': form([('7.png', bytes(11 * MB))])[0]}
    for name, body in kinds.items():
        status, headers, answer = server.ask(body=body, headers={'Content-Type': form([])[1] if name == 'in a form' else 'image/png'})
        assert status == 413 and headers['Content-Type'] == 'application/problem+json' and json.loads(answer)['detail'], name
    text = b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + bytes(2 * MB) + b'\r\n--edge--\r\n'
    assert server.ask(body=text, headers={'Content-Type': 'multipart/form-data; boundary=edge'})[0] == 413


def say(server, *parts, pause=0, read=True):
    'Send bytes as they are; gives what comes back.'
    with socket.create_connection(server.address, timeout=10) as sock:
        for part in parts:
            sock.sendall(part)
            time.sleep(pause)
        if not read: return b''
        sock.shutdown(socket.SHUT_WR)
        answer = b''
        while more := sock.recv(65536): answer += more
        return answer


def test_clients_that_lie_and_clients_that_leave(server):
    png = encoded(seven())
    head = b'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n'
    assert say(server, head + b'Content-Length: 100000\r\n\r\n', png) == b''                                 # promises more than it sends
    answer = say(server, head + b'Content-Length: 10\r\n\r\n' + png)                                         # and less: the rest is no request
    assert b' 500 ' not in answer and b'Traceback' not in answer
    for bad in [head + b'Content-Length: ten\r\n\r\n', head + b'Content-Length: -1\r\n\r\n', head + b'Transfer-Encoding: chunked\r\n\r\nZZ\r\n', b'\x16\x03\x01\x02\x00\r\n\r\n',
                head + b'Transfer-Encoding: gzip\r\n\r\n', b'GET / HTTP/1.1\r\nX: ' + b'x' * 300_000 + b'\r\n\r\n']:
        answer = say(server, bad)
        assert answer.split()[1] in (b'400', b'431', b'501') and b'application/problem+json' in answer and b'nosniff' in answer, (bad[:80], answer[:80])
    for _ in range(20): say(server, head + b'Content-Length: %d\r\n\r\n' % len(png) + png, read=False)        # hang up before the answer
    for _ in range(20): say(server, head + b'Content-Length: 5000000\r\n\r\n' + bytes(100_000), read=False)   # in the middle of the body
    status, answer = server.post(('7.png', png))
    assert status == 200 and answer['predictions'][0]['digit'] == 7 and server.ask('GET', '/healthz')[0] == 200


def test_slow_senders_keep_nobody_waiting(server):
    slow = [socket.create_connection(server.address) for _ in range(60)]
    for sock in slow: sock.sendall(b'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n...')
    start = time.perf_counter()
    assert server.post(('7.png', encoded(seven())))[0] == 200 and time.perf_counter() - start < 3
    for sock in slow: sock.close()


def test_every_prediction_is_in_the_log(server):
    before = server.log.read_text().count('MODEL PREDICTION: ')
    server.post(*[(f'{k}.png', encoded(seven())) for k in range(3)])
    lines = server.log.read_text().splitlines()
    server.wait_for(lambda: server.log.read_text().count('MODEL PREDICTION: ') >= before + 3)
    line = [line for line in server.log.read_text().splitlines() if 'MODEL PREDICTION: ' in line][-1]
    assert line.startswith('MODEL PREDICTION: 7 | Confidence: ') and 'Raw outputs: [' in line and line.endswith('mnist_cnn_model.pth'), lines[-3:]


def test_sigterm_under_load_loses_no_answer(tmp_path):
    server = Process(tmp_path)
    body, kind = form([('7.jpg', encoded(seven((4000, 3000)), 'JPEG'))])
    answers, lost, refused = [], [], []
    def client():
        connection = http.client.HTTPConnection(*server.address, timeout=30)
        while True:
            try: connection.connect()
            except OSError: return refused.append(1)                  # nobody listens any more
            try:
                while True:
                    connection.request('POST', '/predict', body, {'Content-Type': kind})
                    answer = connection.getresponse()
                    answers.append((answer.status, json.loads(answer.read())['predictions'][0]['digit']))
                    if answer.headers['Connection'] == 'close': break   # as it was asked
            except (OSError, http.client.HTTPException) as error: return lost.append(repr(error))
            connection.close()
    threads = [threading.Thread(target=client) for _ in range(12)]
    for thread in threads: thread.start()
    server.wait_for(lambda: len(answers) > 12)
    told = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0 and time.perf_counter() - told < 12
    for thread in threads: thread.join(20)
    assert set(answers) == {(200, 7)} and len(answers) > 12
    assert len(lost) <= 1 and len(lost) + len(refused) == 12, lost     # one that was about to connect just then
    assert 'Traceback' not in server.log.read_text()


# --- the page ------------------------------------------------------------------------------------------

STROKES = [(.28, .2), (.72, .2), (.58, .48), (.46, .84)]   # a seven


@pytest.fixture
def open_page(browser, server):
    'Opens the page; at the end nothing may have gone elsewhere, failed, or been stopped by the policy.'
    faults, contexts = [], []
    def open_page(**options):
        context = browser.new_context(**dict(viewport=dict(width=1000, height=900)) | options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on('pageerror', lambda error: faults.append(str(error)))
        page.on('console', lambda message: faults.append(message.text) if message.type == 'error' and 'Failed to load resource' not in message.text else None)
        page.on('request', lambda request: faults.append(request.url) if not request.url.startswith((server.url, 'blob:')) else None)
        page.goto(server.url)
        page.wait_for_selector('.mc-canvas')
        return page
    yield open_page
    for context in contexts: context.close()
    assert not faults, faults


def told(page, scope):
    'The digit that is shown, once there is one.'
    page.wait_for_function('scope => /[0-9]/.test(document.querySelector(`${scope} .mc-digit`)?.textContent)', arg=scope)
    return page.text_content(f'{scope} .mc-digit')


def draw(page):
    'Draw a seven with the mouse.'
    page.locator('.mc-canvas').scroll_into_view_if_needed()
    box = page.locator('.mc-canvas').bounding_box()
    points = [(box['x'] + x * box['width'], box['y'] + y * box['height']) for x, y in STROKES]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]: page.mouse.move(*point, steps=5)
    page.mouse.up()


HAND_OVER = '''([kind, names, contents]) => {
    const files = new DataTransfer()
    names.forEach((name, i) => files.items.add(new File([Uint8Array.from(atob(contents[i]), c => c.charCodeAt(0))], name, { type: 'image/png' })))
    const init = { bubbles: true, cancelable: true }
    if (kind === 'paste') document.body.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: files }))
    else for (const step of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(step, { ...init, dataTransfer: files }))
}'''


def hand_over(page, kind, *names):
    'Drop or paste examples.'
    import base64
    page.evaluate(HAND_OVER, [kind, names, [base64.b64encode((EXAMPLES / name).read_bytes()).decode() for name in names]])


@pytest.mark.parametrize('kind', ['drop', 'paste'])
def test_dropping_and_pasting(open_page, kind):
    page = open_page()
    hand_over(page, kind, '7_paper.jpg')
    assert told(page, '.card') == '7' and page.text_content('.card .mc-message') == 'This is a 7.' and page.text_content('.card h3') == '7_paper.jpg'
    assert page.locator('.card .mc-bars li').count() == 10 and page.locator('.card rect').count() == 1
    seen = page.evaluate('''() => document.querySelector('.card .mc-seen canvas').getContext('2d').getImageData(0, 0, 28, 28).data.some(v => v > 200 && v < 255)''')
    assert seen and not page.locator('body.dropping').count()
    page.wait_for_function("() => document.querySelector('#live').textContent.includes('This is a 7.')")   # a screen reader is told


def test_choosing_several_makes_a_gallery_and_several_digits_are_boxed(open_page):
    page = open_page()
    page.set_input_files('#files', [EXAMPLES / name for name in ('number.jpg', '3_chalk.jpg', '6_dark_mode.png')])
    page.wait_for_function("() => document.querySelectorAll('.card[data-state=read]').length === 3")
    assert page.locator('.card .number').all_text_contents() == ['2026'] and page.locator('.card').first.locator('rect').count() == 4
    assert [card.locator('.mc-digit').text_content() for card in page.locator('.card').all()] == ['2', '3', '6']
    page.click('.digit:nth-child(4)')
    assert told(page, '.card') == '6' and page.get_attribute('.digit:nth-child(4)', 'aria-pressed') == 'true'
    page.click('#clear')
    assert not page.locator('.card').count()


def test_drawing_in_light_and_dark(open_page):
    for scheme in ('light', 'dark'):
        page = open_page(color_scheme=scheme)
        draw(page)
        assert told(page, '.drawing') == '7'
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(paper) < 60) == (scheme == 'dark')
        page.click('[data-do=clear]')
        page.wait_for_function("() => document.querySelector('.drawing .mc-message').textContent === 'Nothing is drawn yet.'")


def test_a_phone(open_page):
    page = open_page(viewport=dict(width=360, height=740), is_mobile=True, has_touch=True)
    assert page.is_visible('label.camera') and page.get_attribute('#camera', 'capture') == 'environment'
    page.set_input_files('#camera', EXAMPLES / 'number.jpg')
    assert told(page, '.card') == '2'
    draw(page)
    assert told(page, '.drawing') == '7'
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    small = page.evaluate("[...document.querySelectorAll('.mc-button, .choices .button')].filter(b => b.offsetHeight < 44).length")
    assert small == 0


def test_a_bad_file(open_page):
    page = open_page()
    name = '<img src=x onerror=alert(1)>.png'
    page.set_input_files('#files', [dict(name=name, mimeType='image/png', buffer=b'GIF89a'), dict(name='9.jpg', mimeType='image/jpeg', buffer=(EXAMPLES / '9_tilted.jpg').read_bytes())])
    page.wait_for_selector('.card[data-state=error] .mc-message')
    assert 'not a PNG or JPEG' in page.text_content('.card[data-state=error] .mc-message') and page.text_content('.card[data-state=error] h3') == name
    page.wait_for_selector('.card[data-state=read]')
    assert page.text_content('.card[data-state=read] .mc-digit') == '9' and not page.locator('h3 img').count()


def test_the_keyboard_alone(open_page):
    page = open_page()
    page.on('filechooser', lambda chooser: None)   # early: the browser takes a moment before it hands choosers over
    def tab_to(selector):
        for _ in range(30):
            page.keyboard.press('Tab')
            if page.evaluate('selector => document.activeElement.matches(selector)', selector): return
        raise AssertionError(f'{selector} cannot be reached')
    tab_to('#files')
    with page.expect_file_chooser() as chooser: page.keyboard.press('Enter')
    chooser.value.set_files([EXAMPLES / 'number.jpg'])
    page.wait_for_selector('.digit')
    tab_to('.digit:nth-child(2)')
    page.keyboard.press('Space')
    assert told(page, '.card') == '0'
    tab_to('#clear')
    page.keyboard.press('Enter')
    assert page.evaluate('document.activeElement.id') == 'files'
    tab_to('.mc-canvas')
    for key in ['Space', *['ArrowDown'] * 15]: page.keyboard.press(key)   # a one, downwards
    page.keyboard.press('Space')
    assert told(page, '.drawing') == '1'


def test_every_control_has_a_name(open_page):
    page = open_page()
    hand_over(page, 'drop', 'number.jpg')
    page.wait_for_selector('.digit')
    nameless = page.evaluate('''() => [...document.querySelectorAll('button, input, canvas:not([aria-hidden]), img')].filter(node =>
        !(node.ariaLabel || node.alt || node.textContent.trim() || node.labels?.length)).map(node => node.outerHTML)''')
    assert not nameless and page.get_attribute('html', 'lang') == 'en' and page.locator('h1').count() == 1
