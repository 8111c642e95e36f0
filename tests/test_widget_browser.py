'The drawing widget in a real browser on a real JupyterLab: needs Chromium, playwright and jupyterlab.'
import json, math, os, shutil, socket, statistics, subprocess, sys, time
from pathlib import Path

import numpy as np
import pytest

playwright = pytest.importorskip('playwright.sync_api', reason='playwright is not installed: pip install playwright')
pytest.importorskip('jupyterlab', reason='JupyterLab is not installed: pip install jupyterlab')

ROOT = Path(__file__).resolve().parents[1]
CELLS = ['from mnist_cnn.widget import DigitCanvas, DigitUpload\ncanvas = DigitCanvas()\ncanvas',
         'canvas',
         "class Broken:\n    def predict(self, image): raise RuntimeError('no such layer')\nbroken = DigitCanvas(Broken())\nbroken",
         'upload = DigitUpload()\nupload']


def arc(x, y, rx, ry, start, end, steps=24):
    'Points on an ellipse; degrees, clockwise from the right.'
    turns = [math.radians(start + (end-start)*i/steps) for i in range(steps+1)]
    return [(x + rx*math.cos(t), y + ry*math.sin(t)) for t in turns]


DIGITS = {                      # each digit as strokes in the unit square, as one writes it by hand
    0: [arc(.5, .5, .2, .33, -90, 270)],
    1: [[(.4, .3), (.52, .17), (.52, .84)]],
    2: [arc(.5, .36, .2, .19, 190, 400) + [(.3, .82), (.72, .82)]],
    3: [arc(.46, .33, .19, .16, 200, 450) + arc(.46, .66, .22, .18, -90, 160)],
    4: [[(.42, .16), (.28, .54), (.74, .54)], [(.62, .3), (.6, .86)]],
    5: [[(.68, .18), (.38, .18), (.35, .46)] + arc(.48, .64, .21, .2, -120, 140)],
    6: [[(.6, .15), (.42, .38)] + arc(.49, .64, .18, .19, 180, 540)],
    7: [[(.28, .2), (.72, .2), (.58, .48), (.46, .84)]],
    8: [arc(.5, .33, .16, .16, -60, -410) + arc(.5, .66, .19, .18, -90, 250)],
    9: [arc(.48, .36, .18, .18, 0, -350) + [(.66, .4), (.62, .84)]],
}


def photo(digit, size=300):
    'Blue ink on cream paper, as a PNG file.'
    import cv2
    page = np.full((size, size, 3), (222, 238, 243), np.uint8)                                   # OpenCV's order: blue first
    for line in DIGITS[digit]: cv2.polylines(page, [np.int32(np.array(line)*size)], False, (140, 60, 40), size//12, cv2.LINE_AA)
    return cv2.imencode('.png', page)[1].tobytes()


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def serve(command, folder, port):
    'Start a server in `folder` and wait until it answers.'
    home = {name: str(folder/name.lower()) for name in
            ('JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'JUPYTERLAB_SETTINGS_DIR', 'JUPYTERLAB_WORKSPACES_DIR', 'IPYTHONDIR')}
    news = folder/'jupyterlab_settings_dir'/'@jupyterlab'/'apputils-extension'/'notification.jupyterlab-settings'
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}')               # JupyterLab's question about its news lies over the page
    log = open(folder/'server.log', 'w')
    process = subprocess.Popen([sys.executable, '-m', *command], cwd=folder, stdout=log, stderr=subprocess.STDOUT,
                               env={**os.environ, **home, 'PYTHONPATH': str(ROOT)})
    for _ in range(600):
        try: socket.create_connection(('127.0.0.1', port), 5).close()
        except OSError: time.sleep(.2)
        else: return process
        if process.poll() is not None: break
    process.terminate()
    raise RuntimeError((folder/'server.log').read_text()[-2000:])


def stop(process):
    process.terminate()
    try: process.wait(10)
    except subprocess.TimeoutExpired: process.kill()


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    'A JupyterLab on a free port, in a folder with one notebook.'
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook
    folder = tmp_path_factory.mktemp('lab')
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS],
                            metadata={'kernelspec': {'display_name': 'python3', 'language': 'python', 'name': 'python3'}})
    nbformat.write(notebook, folder/'draw.ipynb')
    port = free_port()
    process = serve(['jupyterlab', '--no-browser', '--allow-root', '--ip=127.0.0.1', f'--port={port}', "--IdentityProvider.token=", '--ServerApp.password=',
                     '--expose-app-in-browser', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate'],
                    folder, port)
    yield f'http://127.0.0.1:{port}/doc/tree/draw.ipynb'
    stop(process)


class Notebook:
    'A notebook in the browser, and a way to ask its kernel.'
    def __init__(self, browser, url):
        self.outside = []
        context = browser.new_context(viewport=dict(width=1100, height=1000), has_touch=True)
        context.set_default_timeout(60_000)
        self.page = context.new_page()
        self.page.on('request', self.note)
        self.page.on('dialog', lambda dialog: dialog.accept())
        self.page.goto(url)
        self.ready()

    def note(self, request):
        if request.url.startswith(('http', 'ws')) and '//127.0.0.1' not in request.url: self.outside.append(request.url)

    def ready(self):
        'Wait for the kernel: earlier, its dialog may open over the page.'
        self.page.wait_for_function('''() => { const s = window.jupyterapp?.shell?.currentWidget?.context?.sessionContext
                                               return s?.isReady && s.kernelDisplayStatus === 'idle' }''', timeout=60_000)

    def command(self, name, **args):
        self.page.evaluate('([name, args]) => { jupyterapp.commands.execute(name, args) }', [name, args])     # not its promise

    def ask(self, expression, code=''):
        "The kernel's value of a Python expression, by way of JSON."
        reply = self.page.evaluate('''async ([code, value]) => {
            const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel
            const future = kernel.requestExecute({ code, user_expressions: { value }, store_history: false }, true)
            return (await future.done).content }''', [code, f'__import__("json").dumps({expression})'])
        assert reply['status'] == 'ok', reply
        value = reply['user_expressions']['value']
        assert value['status'] == 'ok', value
        return json.loads(eval(value['data']['text/plain']))

    def start(self, code):
        'Run code in the kernel and do not wait for it.'
        self.page.evaluate('''code => { jupyterapp.shell.currentWidget.context.sessionContext.session.kernel
                                            .requestExecute({ code, store_history: false }) }''', code)


class Pad:
    'One view of a canvas.'
    def __init__(self, notebook, index):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator('.mc-widget').nth(index)
        self.canvas = self.root.locator('.mc-canvas')

    def box(self): return self.canvas.bounding_box()

    def draw(self, *lines, pause=.002, dense=.06):
        'Draw with the mouse, a step each `pause` seconds.'
        self.canvas.scroll_into_view_if_needed()
        box = self.box()
        for line in lines:
            points = [(box['x'] + x*box['width'], box['y'] + y*box['height']) for x, y in thicken(line, dense)]
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point)
                time.sleep(pause)
            self.page.mouse.up()

    def ink(self):
        'How much of the sheet the page shows inked, 0..1.'
        return self.canvas.evaluate('''canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
            let sum = 0; for (let i = 3; i < data.length; i += 4) sum += data[i]; return sum / 255 / (canvas.width * canvas.height) }''')

    def digit(self): return self.root.locator('.mc-digit').inner_text()

    def expect(self, digit): playwright.expect(self.root.locator('.mc-digit')).to_have_text(str(digit), timeout=20_000)

    def press(self, *keys):
        self.canvas.focus()
        for key in keys: self.page.keyboard.press(key)

    def clear(self):
        self.press('Delete')
        playwright.expect(self.root.locator('.mc-result')).to_have_attribute('data-status', 'blank', timeout=20_000)


def thicken(line, step):
    'Points no further apart than `step`, as a hand gives them.'
    points = line[:1]
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        n = max(1, math.ceil(math.dist((x0, y0), (x1, y1))/step))
        points += [(x0 + (x1-x0)*i/n, y0 + (y1-y0)*i/n) for i in range(1, n+1)]
    return points


@pytest.fixture(scope='module')
def notebook(browser, lab):
    notebook = Notebook(browser, lab)
    notebook.command('notebook:run-all-cells')
    notebook.page.locator('.mc-widget').nth(2).wait_for(timeout=60_000)
    notebook.page.locator('.mc-cards').wait_for(state='attached', timeout=30_000)
    return notebook


@pytest.fixture
def pad(notebook):
    pad = Pad(notebook, 0)
    pad.canvas.scroll_into_view_if_needed()
    if notebook.page.locator('.mc-widget').first.locator('.mc-blank').count() == 0: pad.clear()
    return pad


def test_reads_ten_digits(pad, notebook):
    right = 0
    for digit, lines in DIGITS.items():
        pad.draw(*lines)
        time.sleep(.2)
        shown, read = pad.digit(), notebook.ask('canvas.prediction.digit')
        print(f'drawn {digit}, on the page {shown}, in Python {read}')
        right += shown == str(digit) and read == digit
        pad.clear()
    assert right >= 9


def test_latency(pad, notebook):
    'From the oldest ink in a frame to its bars: median under 60 ms, 90th percentile under 100 ms on an idle machine.'
    notebook.page.evaluate('''() => { window.waits = []
        document.querySelector('.mc-widget').addEventListener('digit-answer', e => e.detail.milliseconds && waits.push(e.detail.milliseconds)) }''')
    for digit in (3, 8): pad.draw(*DIGITS[digit], pause=.008, dense=.02)
    time.sleep(.3)
    waits = sorted(notebook.page.evaluate('() => waits'))
    median, late, load = statistics.median(waits), waits[int(.9*len(waits))], os.getloadavg()[0]
    print(f'{len(waits)} answers, stroke to bars: median {median:.0f} ms, 90th percentile {late:.0f} ms, load {load:.1f} on {os.cpu_count()} cores')
    slack = 1.5 + max(0, load - 1)                        # others may be at work on this machine
    assert len(waits) > 10 and median < 60*slack and late < 100*slack


def test_undo_redo_clear(pad):
    pad.draw(*DIGITS[4][:1])
    one = pad.ink()
    pad.draw(*DIGITS[4][1:])
    two = pad.ink()
    assert two > one > 0
    pad.press('z')
    assert pad.ink() == pytest.approx(one, rel=.01)
    pad.root.get_by_role('button', name='Redo').click()
    assert pad.ink() == pytest.approx(two, rel=.01)
    pad.expect(4)
    pad.root.get_by_role('button', name='Clear').click()
    assert pad.ink() == 0
    pad.root.get_by_role('button', name='Undo').click()                            # what was cleared by mistake comes back
    pad.expect(4)


def test_keys_stay_in_the_widget(pad, notebook):
    'On a focused cell these keys insert, cut, delete and convert cells.'
    cells = "() => jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type).join()"
    before = notebook.page.evaluate(cells)
    pad.press('b', 'a', 'x', 'm', 'd', 'd', 'z', ']', '[')
    for control in ('Undo', 'Clear'):
        pad.root.get_by_role('button', name=control).focus()
        for key in ('b', 'a', 'm'): notebook.page.keyboard.press(key)
    assert notebook.page.evaluate(cells) == before
    notebook.page.evaluate('() => { jupyterapp.shell.currentWidget.context.model.dirty = true }')
    pad.press('Control+s')                                           # the notebook's own, which the sheet has no use for
    notebook.page.wait_for_function('() => !jupyterapp.shell.currentWidget.context.model.dirty')


def test_draws_with_the_keyboard(pad):
    pad.press('Space', *['ArrowDown']*16, 'Space')
    assert pad.ink() > .02
    pad.expect(1)


def test_touch_and_pen(pad, notebook):
    client, box = notebook.page.context.new_cdp_session(notebook.page), pad.box()
    def at(x, y): return dict(x=box['x'] + x*box['width'], y=box['y'] + y*box['height'])
    scroll = notebook.page.evaluate('() => scrollY')
    line = thicken(DIGITS[7][0], .05)
    client.send('Input.dispatchTouchEvent', dict(type='touchStart', touchPoints=[at(*line[0])]))
    for point in line[1:]: client.send('Input.dispatchTouchEvent', dict(type='touchMove', touchPoints=[at(*point)]))
    client.send('Input.dispatchTouchEvent', dict(type='touchEnd', touchPoints=[]))
    pad.expect(7)
    assert notebook.page.evaluate('() => scrollY') == scroll
    inks = []
    for force in (.1, .9):
        pad.clear()
        for kind, point in (('mousePressed', (.5, .2)), ('mouseMoved', (.5, .5)), ('mouseMoved', (.5, .8)), ('mouseReleased', (.5, .8))):
            client.send('Input.dispatchMouseEvent', dict(type=kind, button='left', buttons=1, force=force, pointerType='pen', clickCount=1, **at(*point)))
        inks.append(pad.ink())
    assert inks[1] > 1.4*inks[0] > 0                                 # a firm hand draws a wider line


def test_two_views(pad, notebook):
    other = Pad(notebook, 1)
    pad.draw(*DIGITS[3])
    pad.expect(3), other.expect(3)
    assert other.ink() == pytest.approx(pad.ink(), rel=.02)
    other.press('z')
    assert pad.ink() == 0


def test_python_draws_and_clears(pad, notebook):
    pad.draw(*DIGITS[2])
    pad.expect(2)
    apart = notebook.ask('float(abs(canvas.image.astype(int) - __import__("mnist_cnn.widget").widget.rasterize(canvas.strokes)).mean())')
    print(f'the page\'s picture and Python\'s of the same strokes differ by {apart:.2f} of 255 on average')
    assert apart < 3
    notebook.ask('1', 'canvas.clear()')
    playwright.expect(pad.root.locator('.mc-result')).to_have_attribute('data-status', 'blank')
    assert pad.ink() == 0
    notebook.ask('1', f'canvas.draw({DIGITS[7]})')
    pad.expect(7)
    assert pad.ink() > .02


def test_layers(pad, notebook):
    pad.draw(*DIGITS[8])
    pad.root.locator('summary').click()
    playwright.expect(pad.root.locator('.mc-maps figure')).to_have_count(2)
    playwright.expect(pad.root.locator('.mc-maps figcaption').first).to_contain_text('conv1')
    pad.root.locator('summary').click()


def test_busy_kernel(pad, notebook):
    'A kernel that holds the GIL hears nothing: the ink comes at once, the answer when it can, and one frame waits.'
    first = notebook.ask('int(canvas.answer["frame"].split("-")[1])')
    notebook.start('import ctypes; ctypes.PyDLL(None).usleep(3_000_000)')
    time.sleep(.3)
    began = time.monotonic()
    pad.draw(*DIGITS[6])
    assert pad.ink() > .03
    playwright.expect(pad.root.locator('.mc-message')).to_contain_text('Waiting for Python')
    assert time.monotonic() - began < 2.5 and pad.digit() != '6'
    pad.expect(6)
    assert notebook.ask('int(canvas.answer["frame"].split("-")[1])') - first <= 3


def test_training_beside_it(pad, notebook):
    'A cell that computes in Python leaves the widget live where the kernel has subshells; everywhere the answer follows.'
    notebook.start("import time; end = time.time() + 2\nwhile time.time() < end: sum(range(1000))")
    pad.draw(*DIGITS[0])
    pad.expect(0)


def test_error_is_shown(notebook):
    broken = Pad(notebook, 2)
    playwright.expect(broken.root.locator('.mc-message')).to_have_text('RuntimeError: no such layer')
    broken.draw(*DIGITS[1])
    playwright.expect(broken.root.locator('.mc-live')).to_have_text('RuntimeError: no such layer')


def test_upload(notebook):
    page = notebook.page
    with page.expect_file_chooser() as chooser: page.locator('.widget-upload').click()
    files = [('two & <b>.png', photo(2)), ('letter.png', b'Dear Sir or Madam'), ('seven.png', photo(7))]
    chooser.value.set_files([dict(name=name, mimeType='image/png', buffer=content) for name, content in files])
    cards = page.locator('.mc-card')
    playwright.expect(cards).to_have_count(3, timeout=20_000)
    assert cards.locator('h4').all_inner_texts() == [name for name, _ in files]
    assert cards.locator('.mc-digit').all_inner_texts() == ['2', '?', '7']
    assert notebook.ask('[p and p.digit for p in upload.predictions]') == [2, None, 7]


def test_dark_theme(pad, notebook):
    pad.draw(*DIGITS[1])
    look = """canvas => { const rgb = getComputedStyle(canvas).backgroundColor.match(/\\d+/g).map(Number)
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        let i = 3; while (data[i] < 255) i += 4
        return [rgb[0] + rgb[1] + rgb[2], data[i-3] + data[i-2] + data[i-1]] }"""
    def soon(right):
        'Whether paper and ink get there: a theme takes its time to load.'
        for _ in range(100):
            if right(*pad.canvas.evaluate(look)): return True
            time.sleep(.1)
    assert soon(lambda paper, ink: paper > 600 > 200 > ink)
    notebook.command('apputils:change-theme', theme='JupyterLab Dark')
    assert soon(lambda paper, ink: ink > 600 > 200 > paper)
    notebook.command('apputils:change-theme', theme='JupyterLab Light')
    assert soon(lambda paper, ink: paper > 600 > 200 > ink)


def test_reload_keeps_the_drawing(pad, notebook):
    pad.draw(*DIGITS[5])
    pad.expect(5)
    ink = pad.ink()
    notebook.page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:save') }")
    notebook.page.reload()
    notebook.ready()
    pad.canvas.wait_for(timeout=30_000)
    pad.expect(5)
    assert pad.ink() == pytest.approx(ink, rel=.02)
    pad.clear()
    pad.draw(*DIGITS[2])
    pad.expect(2)
    assert notebook.ask('canvas.prediction.digit') == 2


def test_nothing_leaves_the_machine(notebook): assert notebook.outside == []


def test_modules_in_a_plain_page(browser, tmp_path):
    'The web app and the docs import the same files, under a policy that allows no script in the page.'
    shutil.copytree(ROOT/'mnist_cnn'/'static', tmp_path/'static')
    (tmp_path/'page.js').write_text("""import { mountPad } from './static/draw.js'; import { mountResult } from './static/result.js'
        window.pad = mountPad(document.querySelector('.mc')); window.result = mountResult(document.querySelector('.mc'))""")
    (tmp_path/'index.html').write_text("""<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'self'">
        <link rel="icon" href="data:,"><link rel="stylesheet" href="static/draw.css"><link rel="stylesheet" href="static/result.css">
        <div class="mc"></div><script type="module" src="page.js"></script>""")
    port, complaints = free_port(), []
    server = subprocess.Popen([sys.executable, '-m', 'http.server', str(port), '--bind', '127.0.0.1', '--directory', tmp_path], stderr=subprocess.DEVNULL)
    try:
        page = browser.new_context(device_scale_factor=2, color_scheme='dark').new_page()
        page.on('console', lambda message: message.type in ('error', 'warning') and complaints.append(message.text))
        page.on('pageerror', lambda error: complaints.append(str(error)))
        for _ in range(50):
            try: page.goto(f'http://127.0.0.1:{port}/'); break
            except playwright.Error: time.sleep(.1)
        page.wait_for_function('() => window.result')
        box = page.locator('canvas.mc-canvas').bounding_box()
        page.mouse.move(box['x'] + 140, box['y'] + 50); page.mouse.down(); page.mouse.move(box['x'] + 140, box['y'] + 230, steps=9); page.mouse.up()
        frame = np.array(page.evaluate('() => [...pad.drawing.frame()]')).reshape(112, 112)
        assert frame[56, 56] == 255 and frame[:, :40].max() == 0
        page.evaluate("() => result.show({ digit: 1, confidence: .7, probabilities: [0, .7, .3], status: 'ok', message: 'This is a 1.' })")
        playwright.expect(page.locator('.mc-live')).to_have_text('This is a 1. 70 percent sure.')
        assert page.evaluate("() => document.querySelector('.mc-canvas').width") == 2*round(box['width'] - 2)
        complaints = [text for text in complaints if 'data:,' not in text]
        assert complaints == []
    finally: stop(server)


@pytest.mark.slow
def test_voila(browser, tmp_path):
    'The notebook as an app: a visitor draws on the first canvas and is answered.'
    pytest.importorskip('voila', reason='Voila is not installed: pip install voila')
    port = free_port()
    shutil.copy(ROOT/'nbs'/'04_widget.ipynb', tmp_path)
    process = serve(['voila', '04_widget.ipynb', '--no-browser', f'--port={port}', '--Voila.ip=127.0.0.1'], tmp_path, port)
    try:
        page = browser.new_context(viewport=dict(width=1300, height=1000)).new_page()
        page.goto(f'http://127.0.0.1:{port}/', timeout=90_000)
        page.locator('.mc-widget').first.wait_for(timeout=90_000)
        holder = type('Page', (), {'page': page})
        pad = Pad(holder, 0)
        pad.canvas.scroll_into_view_if_needed()
        pad.clear()
        pad.draw(*DIGITS[3])
        pad.expect(3)
    finally: stop(process)
