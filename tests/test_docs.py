'The documentation, built once and read in a browser: needs the packages of the extras `docs` and `dev`, Chromium, and npm for the demo.'
import functools
import http.server
import json
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from types import FunctionType
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import numpy as np
import pytest

for package in ('sphinx', 'myst_nb', 'sphinx_book_theme', 'nbdev'): pytest.importorskip(package, reason=f'{package} is not installed: pip install -e ".[dev]"')

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    'The site, built as its users build it.'
    folder = tmp_path_factory.mktemp('docs') / 'site'
    done = subprocess.run([sys.executable, 'docs/build.py', '--out', folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return folder


class Page(HTMLParser):
    'The anchors of a page, and what it refers to.'
    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.pictures = set(), [], []
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get('id'), attributes.get('name') if tag == 'a' else None}
        self.links += [attributes[key] for key in ('href', 'src') if attributes.get(key)]
        if tag == 'img': self.pictures.append(attributes)


@pytest.fixture(scope='module')
def pages(site): return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob('*.html')) if '_static' not in path.parts}


def test_no_dead_link(site, pages):
    dead = []
    for name, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(f'http://site/{name}', link))
            where = urlparse(target)
            if where.netloc != 'site' or where.scheme not in ('http', 'https'): continue
            path = unquote(where.path).lstrip('/') or 'index.html'
            if not (site / path).is_file(): dead.append((name, link))
            elif anchor and path in pages and unquote(anchor) not in pages[path].anchors: dead.append((name, link))
    assert not dead


def test_links_outside_lead_to_files_of_this_repository(pages):
    'Source, Colab and Binder: the path at the end of the address is there, with the number that orders the notebooks.'
    from nbdev.config import get_config
    config, wrong, seen = get_config(ROOT / 'settings.ini'), [], []
    for name, page in pages.items():
        for link in page.links:
            found = re.search(rf'(?:{re.escape(config.user)}/{config.repo}/(?:blob|tree)/{config.branch}|urlpath=lab/tree)/([^?#]+)', link)
            if not found: continue
            seen.append(link)
            if not (ROOT / unquote(found[1])).exists(): wrong.append((name, link))
    assert not wrong
    for host in ('https://colab.research.google.com/github/', 'https://mybinder.org/v2/gh/'):
        assert sum(link.startswith(host) for link in seen) == len(list((ROOT / 'nbs').glob('*.ipynb'))) - 1


def test_every_public_name_has_an_entry(pages):
    import importlib
    missing = []
    for path in sorted((ROOT / 'mnist_cnn').glob('*.py')):
        if path.stem.startswith('_'): continue
        module = importlib.import_module(f'mnist_cnn.{path.stem}')
        for name in module.__all__:
            if f'mnist_cnn.{path.stem}.{name}' not in pages[f'api/{path.stem}.html'].anchors: missing.append(f'{path.stem}.{name}')
            member = getattr(module, name)
            if not isinstance(member, type): continue
            methods = [one for one, value in vars(member).items() if one[0] != '_' and isinstance(value, (FunctionType, property, staticmethod, classmethod))]
            missing += [f'{path.stem}.{name}.{one}' for one in methods if f'mnist_cnn.{path.stem}.{name}.{one}' not in pages[f'api/{path.stem}.html'].anchors]
    assert not missing


def test_links_of_nbdev(pages):
    'Other projects find our names by nbdev\'s index: each address in it leads somewhere.'
    from mnist_cnn._modidx import d
    private = re.compile(r'(^|\.)_(?!_)')
    addresses = [where[0].split('#') for names in d['syms'].values() for name, where in names.items() if not private.search(name.split('.', 1)[1])]
    assert addresses and not [(page, anchor) for page, anchor in addresses if anchor not in pages[page].anchors]


def test_outputs_are_on_the_pages(site, pages):
    'As many pictures as the notebooks show, each with words for those who do not see it.'
    for path in (ROOT / 'nbs').glob('*.ipynb'):
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        shown = sum('image/png' in (data := output.get('data', {})) and 'text/html' not in data for cell in cells if '#| hide' not in ''.join(cell['source']) for output in cell.get('outputs', []))
        page = pages[re.sub(r'^\d+[a-zA-Z0-9]*_', '', path.stem.lower()) + '.html']
        pictures = [one for one in page.pictures if '_images' in one.get('src', '')]
        assert len(pictures) == shown, path.name
        assert all(re.search(r'\w \w', one.get('alt', '')) for one in page.pictures), page.pictures


# --- in the browser -----------------------------------------------------------------------------------

class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, '.mjs': 'text/javascript', '.wasm': 'application/wasm'}
    def log_message(self, *args): pass


@pytest.fixture(scope='module')
def address(site):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()


class Reader:
    'A tab that notes every complaint of the console and every request.'
    def __init__(self, browser, **options):
        self.complaints, self.requests = [], []
        self.page = browser.new_context(**options).new_page()
        self.page.on('console', lambda message: message.type in ('error', 'warning') and self.complaints.append(message.text))
        self.page.on('pageerror', lambda error: self.complaints.append(str(error)))
        self.page.on('request', lambda request: self.requests.append(request.url))

    def outside(self): return [url for url in self.requests if urlparse(url).hostname != '127.0.0.1' and not url.startswith(('data:', 'blob:'))]


@pytest.mark.parametrize('look', ['light', 'dark'])
def test_every_page_loads(site, address, pages, browser, look):
    'No complaint, no request to another machine, no page wider than a phone; DOCS_SHOTS=folder keeps pictures of all.'
    import os
    shots = os.environ.get('DOCS_SHOTS')
    reader = Reader(browser, viewport=dict(width=360, height=780), color_scheme=look)
    wide = []
    for name in pages:
        reader.page.goto(f'{address}/{name}')
        if reader.page.evaluate('() => document.documentElement.scrollWidth > innerWidth'): wide.append(name)
        assert reader.page.evaluate('() => document.documentElement.dataset.theme') == look
        if shots: reader.page.screenshot(path=f'{shots}/{name.replace("/", "_")}.{look}.phone.png')
        if shots:
            reader.page.set_viewport_size(dict(width=1280, height=1000))
            reader.page.wait_for_timeout(500)              # the sidebar slides in
            reader.page.screenshot(path=f'{shots}/{name.replace("/", "_")}.{look}.png', full_page=True)
            reader.page.set_viewport_size(dict(width=360, height=780))
    assert reader.complaints == [] and reader.outside() == [] and wide == []


@pytest.mark.parametrize('word, page', [('distractors', 'distractors.html'), ('random_handwriting', 'api/data.html')])
def test_search_without_a_network(address, browser, word, page):
    reader = Reader(browser)
    reader.page.goto(f'{address}/search.html?q={word}')
    reader.page.wait_for_selector('ul.search li a', timeout=20_000)
    assert any(page in link for link in reader.page.eval_on_selector_all('ul.search li a', 'links => links.map(link => link.href)'))
    assert reader.complaints == [] and reader.outside() == []


# --- the demo -----------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def demo(site):
    if not (site / 'demo' / 'model.onnx').exists(): pytest.skip('the site was built without the demo: it needs npm and models/mnist_cnn_model.onnx')


@pytest.fixture
def pad(demo, address, browser):
    reader = Reader(browser, viewport=dict(width=1280, height=1000))
    reader.page.goto(f'{address}/index.html')
    reader.page.wait_for_selector('#demo canvas.mc-canvas')
    yield reader
    reader.page.context.close()


def draw(page, lines):
    'Draw with the mouse, slowly enough for a hand.'
    box = page.locator('#demo .mc-canvas').bounding_box()
    for line in lines:
        points = [(box['x'] + x * box['width'], box['y'] + y * box['height']) for x, y in line]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:] or [points[0]]: page.mouse.move(*point, steps=4)
        page.mouse.up()


def settled(page):
    'The digit and the status, once the network has answered to the last stroke.'
    page.wait_for_function("() => !['waiting', 'blank'].includes(document.querySelector('#demo .mc-result').dataset.status)", timeout=60_000)
    page.wait_for_timeout(150)
    return page.locator('#demo .mc-digit').inner_text(), page.locator('#demo .mc-result').get_attribute('data-status')


def test_demo_reads_ten_digits(pad):
    from test_widget_browser import DIGITS
    loaded = lambda: [url for url in pad.requests if url.endswith(('.wasm', '.onnx')) or 'ort' in url.rsplit('/', 1)[1]]
    assert not loaded()                                        # until somebody draws
    read = {}
    for digit, lines in DIGITS.items():
        draw(pad.page, lines)
        read[digit] = settled(pad.page)[0]
        assert pad.page.locator('#demo .mc-bars li').count() == 10
        pad.page.locator('#demo [data-do=clear]').click()
        pad.page.wait_for_function("() => document.querySelector('#demo .mc-result').dataset.status === 'blank'")
    print(f'drawn and read: {read}')
    assert sum(shown == str(digit) for digit, shown in read.items()) >= 9
    assert len(loaded()) == 4 and pad.complaints == [] and pad.outside() == []


def test_demo_is_the_predictor(pad):
    'A thousand drawings: the same picture within 1e-4, the same digit and status, probabilities within 1e-3.'
    import base64
    from drawings import frames
    from mnist_cnn import Predictor
    drawn = frames(1000)
    found, pixels = pad.page.evaluate("""async text => {
        const read = await (await import('./demo/network.js')).loadNetwork()
        const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), answers = [], images = []
        for (let at = 0; at < bytes.length; at += 112 * 112) {
            const { digit, status, probabilities, prepared } = await read(bytes.slice(at, at + 112 * 112))
            answers.push({ digit, status, probabilities })
            images.push(prepared)
        }
        const url = await new Promise(done => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(new Blob(images)) })
        return [answers, url.split(',')[1]] }""", base64.b64encode(drawn.tobytes()).decode())
    wanted = Predictor().predict_many(list(drawn))
    images = np.abs(np.frombuffer(base64.b64decode(pixels), np.float32).reshape(-1, 28, 28) - np.stack([one.image for one in wanted])).max()
    shares = max(np.abs(np.array(one['probabilities']) - other.probabilities).max() for one, other in zip(found, wanted) if one['probabilities'])
    apart = [number for number, (one, other) in enumerate(zip(found, wanted)) if (one['digit'], one['status']) != (other.digit, other.status)]
    print(f'largest difference: {images:.1e} in a pixel, {shares:.1e} in a probability')
    assert images < 1e-4 and shares < 1e-3 and apart == []
    assert {one.status for one in wanted} == {'ok', 'unsure', 'not_a_digit', 'several', 'blank'}


def test_demo_says_what_is_wrong(pad):
    'The network does not arrive: a sentence; with the next stroke it does.'
    pad.page.route('**/model.onnx', lambda route: route.abort())
    draw(pad.page, [[(.5, .2), (.5, .8)]])
    assert settled(pad.page)[1] == 'error'
    assert 'did not arrive' in pad.page.locator('#demo .mc-message').inner_text()
    pad.page.unroute('**/model.onnx')
    draw(pad.page, [[(.52, .2), (.52, .8)]])
    pad.page.wait_for_function("() => document.querySelector('#demo .mc-digit').textContent === '1'", timeout=60_000)


def test_demo_without_webassembly(demo, address, browser):
    reader = Reader(browser)
    reader.page.add_init_script('delete window.WebAssembly')
    reader.page.goto(f'{address}/index.html')
    reader.page.wait_for_selector('#demo canvas.mc-canvas')
    draw(reader.page, [[(.5, .2), (.5, .8)]])
    assert settled(reader.page)[1] == 'error'
    assert 'WebAssembly' in reader.page.locator('#demo .mc-message').inner_text()


def test_demo_without_javascript(demo, address, browser, site):
    for where in (f'{address}/index.html', (site / 'index.html').as_uri()):
        reader = Reader(browser, java_script_enabled='127.0.0.1' not in where)
        reader.page.goto(where)
        if '127.0.0.1' in where: continue
        assert reader.page.locator('.demo-still img').evaluate('picture => picture.naturalWidth') > 0
        assert 'web server' in reader.page.locator('.demo-still p').inner_text()
