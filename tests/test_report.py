'The report as a reader gets it: the file itself, and the page in a real browser; and the widgets beside it, as a kernel without a page has them.'
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import pytest

pytest.importorskip('sklearn', reason='scikit-learn is not installed: pip install "mnist_cnn[understand]"')

import torch
from PIL import Image

from mnist_cnn.data import load_mnist
from mnist_cnn.model import MNISTCNN, load_model
from mnist_cnn.understand import Report, browse_errors, feature_map, save_html, to_text, turn_digit


@pytest.fixture(scope='module')
def model():
    'Weights that misread some of any thousand images: the shipped ones, with the last layer shaken.'
    model = load_model()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad(): model.fc2.weight.add_(.12 * torch.randn(10, 128, generator=generator))
    return model


@pytest.fixture(scope='module')
def report(model): return Report(model, load_mnist(source='sample').test)


@pytest.fixture(scope='module')
def page(report, tmp_path_factory):
    'The page as a file.'
    path = tmp_path_factory.mktemp('report') / 'report.html'
    save_html(report, path)
    return path


class Parsed(HTMLParser):
    'What a page consists of.'
    def __init__(self, text):
        super().__init__()
        self.open, self.pictures, self.addresses, self.words, self.headings = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == 'img': self.pictures.append(attributes)
        self.addresses += [attributes[key] for key in ('src', 'srcset', 'href', 'data', 'action', 'poster') if key in attributes]
        if tag not in ('meta', 'link', 'img', 'br', 'source'): self.open.append(tag)
        if re.fullmatch('h[1-6]', tag): self.headings.append(int(tag[1]))

    def handle_endtag(self, tag): assert self.open.pop() == tag

    def handle_data(self, data): self.words.append(data)


def test_the_file_needs_no_other(report, page):
    text = page.read_text(encoding='utf-8')
    parsed = Parsed(text)
    assert not parsed.open and parsed.headings[0] == 1 and max(parsed.headings) == 2
    assert parsed.addresses and all(address.startswith('data:') for address in parsed.addresses)
    assert '<script' not in text and 'url(' not in text and '@import' not in text
    assert len(report.wrong) > 3 and len(parsed.pictures) == len(report.wrong) + 2
    assert all(len(picture['alt']) > 10 for picture in parsed.pictures)
    assert len({picture['alt'] for picture in parsed.pictures}) == len(parsed.pictures)


def test_the_same_bytes_again(report, page, tmp_path):
    save_html(report, tmp_path / 'again.html')
    assert page.read_bytes() == (tmp_path / 'again.html').read_bytes()


def test_words_say_what_the_pictures_show(report, page):
    words, text = ' '.join(Parsed(page.read_text(encoding='utf-8')).words), to_text(report)
    for label, guess, count in report.pairs()[:5]:
        assert f'{label} taken for {guess} ({count})' in words and f'{label} taken for {guess}: {count}' in text
    for index in report.wrong: assert f'image {index}:' in text and re.search(rf'image {index}\b', words)
    assert f'{report.accuracy:.2%}' in text and f'{100 * report.accuracy:.2f} %' in words


def test_nothing_misread(tmp_path):
    'Two images that any weights of ours read: no errors, no pairs, and still a page.'
    found = Report(load_model(), load_mnist(source='sample').test[:2])
    assert not len(found.wrong) and found.pairs() == [] and browse_errors(load_model(), found) is None
    save_html(found, tmp_path / 'report.html')
    assert 'No image was misread.' in (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert 'none' in to_text(found)


def test_weights_that_know_nothing(tmp_path):
    'Most images misread, without metadata or calibration.'
    torch.manual_seed(0)
    found = Report(MNISTCNN().eval(), load_mnist(source='sample').test)
    save_html(found, tmp_path / 'report.html')
    assert len(found.wrong) > 700 and (tmp_path / 'report.html').read_text(encoding='utf-8').count('<figure') == len(found.wrong)


def opened(browser, path, **options):
    'A page, and what it asked for or complained about.'
    page, said = browser.new_page(**options), []
    page.on('request', lambda request: said.append(request.url) if request.url.startswith(('http', 'ws')) else None)
    page.on('console', lambda message: said.append(message.text))
    page.on('pageerror', lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    return page, said


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [390, 1280])
def test_in_a_browser(browser, page, report, scheme, width, tmp_path):
    view, said = opened(browser, page, viewport=dict(width=width, height=900), color_scheme=scheme)
    assert not said
    assert view.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'the page scrolls sideways'
    assert view.evaluate('[...document.images].every(image => image.complete && image.naturalWidth > 0)')
    lightness = view.evaluate('getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3')
    assert (lightness > 200) == (scheme == 'light')
    shown = [Image.open(io.BytesIO(view.locator('picture img').nth(0).screenshot())).convert('L').getpixel((3, 3))]
    assert (shown[0] > 200) == (scheme == 'light'), 'the picture does not follow the page'
    view.locator('summary').first.click()
    assert view.locator('details table').first.is_visible()
    view.close()


def test_map_of_features(browser, model, report, tmp_path):
    'The map shows the image under the pointer, and asks nobody for anything.'
    bundle = feature_map(model, report)._repr_mimebundle_()
    (tmp_path / 'map.html').write_text(f'<!DOCTYPE html><meta charset="utf-8"><title>map</title><link rel="icon" href="data:,">{bundle["text/html"]}')
    view, said = opened(browser, tmp_path / 'map.html', viewport=dict(width=800, height=700))
    x, y = feature_map(model, report).points[0].tolist()
    box = view.locator('img').bounding_box()
    card = view.locator('[id^=map-] > div')
    assert not card.is_visible()
    view.mouse.move(box['x'] + x * box['width'], box['y'] + y * box['height'])
    assert card.is_visible() and card.inner_text().startswith('labelled ')
    view.mouse.move(1, box['y'] + box['height'] + 50)
    assert not card.is_visible() and not said
    view.close()


def test_widgets(model, report):
    'What the widgets do when they are used; in tests/test_widget_browser.py others meet a real page.'
    with patch('mnist_cnn.widget.has_page', return_value=True):
        box, turner = browse_errors(model, report), turn_digit(model, report.digits.images[0])
    (pair, number), words, picture = box.children[0].children, *box.children[1:]
    a, b, count = report.pairs()[0]
    assert number.max == count and f'labelled {a}, read as {b}' in words.value and bytes(picture.value).startswith(b'\x89PNG')
    before = bytes(picture.value)
    number.value = count
    assert count == 1 or bytes(picture.value) != before
    pair.value = pair.options[-1]
    assert number.value == 1 and f'test image {report.errors(*report.pairs()[-1][:2])[0]}:' in words.value
    angle, turned = turner.children
    before = bytes(turned.value)
    angle.value = 90
    assert bytes(turned.value) != before
    assert isinstance(turn_digit(model, report.digits.images[0]), Image.Image)   # nobody there: a picture
