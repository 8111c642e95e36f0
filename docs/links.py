'Where things are on the site: names of the package, notebooks, and files of the repository.'
import ast
import posixpath
import re
from pathlib import Path

from nbdev.config import get_config

WORDS = re.compile(r'(?P<fence>^(?P<mark>```+|~~~+|:::+).*?^(?P=mark)\s*?$)'       # fenced blocks stay as they are
                   r'|(?P<link>(?<!!)\[(?P<text>[^\]\[]*(?:\[[^\]]*\][^\]\[]*)*)\]\((?P<target>[^)\s]+)\))'
                   r'|(?P<image>!\[[^\]]*\]\([^)]*\))'
                   r'|(?<![`{}])`(?P<name>[A-Za-z_][\w.]*)(?:\(\))?`(?!`)', re.M | re.S)


def page_name(notebook: str) -> str:
    'The page of a notebook, as nbdev names it: without the number that orders the notebooks.'
    return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(notebook).stem.lower())


class Links:
    'Turns links and names in backticks as one writes them in a notebook into links of the site.'
    def __init__(self, root: Path, package: dict, elsewhere: dict):
        self.root, self.package, self.elsewhere, self.config = root, package, elsewhere, get_config()
        self.lines, self.origin = {}, {}               # page -> the file in the repository that it is made from
        self.names = {}                                # as it is written -> all that it may mean, in full
        for module, entries in package.items():
            for entry in entries['names']:
                for name in (entry, f'{module}.{entry}', f'{module.split(".", 1)[1]}.{entry}'):
                    self.names.setdefault(name, []).append(f'{module}.{entry}')
            self.names[module] = [module]
        for name, module in package_level(root / 'mnist_cnn').items():
            self.names[f'mnist_cnn.{name}'] = self.names[name] = [f'mnist_cnn.{module}.{name}']

    def sentence(self, full: str) -> str:
        'The first sentence, or the part of it before a semicolon, that a function or class says of itself.'
        module, name = full.rsplit('.', 1)
        node = self.package[module]['names'].get(name)
        says = (ast.get_docstring(node) or '') if isinstance(node, (ast.ClassDef, ast.FunctionDef)) else ''
        return re.split(r'(?<=[.;:])\s', says.replace('\n', ' '))[0].rstrip(';:')

    def source(self, path: str) -> list:
        'The lines of a file of the repository.'
        if path not in self.lines: self.lines[path] = (self.root / path).read_text(encoding='utf-8').splitlines()
        return self.lines[path]

    def addresses(self) -> dict:
        'What pages may say for addresses that stand in settings.ini: `{git_url}` and `{repo}`.'
        return dict(git_url=self.config.git_url, repo=self.config.repo)

    def blob(self, path: str, kind: str = 'blob') -> str:
        'A file of the repository, on the web.'
        return f'{self.config.git_url}/{kind}/{self.config.branch}/{path}'

    def name(self, name: str, module: str = '') -> str:
        'The full name of what a name in backticks means; empty where it means nothing of ours, or several things.'
        found = self.names.get(name, [])
        own = [full for full in found if full == f'{module}.{name}']
        if own: return own[0]
        common = re.fullmatch('[a-z]+', name) and f'mnist_cnn.{name}' not in self.names   # `answer`, `lines`: hardly the function
        return found[0] if len(found) == 1 and not common else ''

    def target(self, target: str, folder: Path, page: str) -> str:
        'Where a link leads on the site, or on the web where the site does not have it.'
        if re.match(r'\w+:|//', target): return target
        path, _, anchor = target.partition('#')
        anchor = '#' + slug(anchor) if anchor else ''
        if not path: return anchor
        if (self.root / 'docs' / 'pages') == folder and not path.startswith('../'): return target
        path = (folder / path).resolve().relative_to(self.root).as_posix()
        up = '../' * page.count('/')
        if path.endswith('.ipynb') and path.startswith('nbs/'): return f'{up}{page_name(path)}.ipynb{anchor}'
        if path in self.elsewhere: return f'{up}{self.elsewhere[path]}.md{anchor}'
        if path.startswith('docs/pages/'): return f'{up}{posixpath.basename(path)}{anchor}'
        return self.blob(path, 'tree' if (self.root / path).is_dir() else 'blob')

    def mend(self, text: str, folder: Path, page: str, module: str = '') -> str:
        'Markdown with all its links and names led to the right places.'
        def one(match):
            if match['link']: return f'[{match["text"]}]({self.target(match["target"], folder, page)})'
            if match['name'] and (full := self.name(match['name'], module)):
                if full in self.package: return f'[{match[0]}]({"../" * page.count("/")}api/{full.split(".")[1]}.md)'
                return f'{{py:obj}}`{match[0][1:-1]} <{full}>`'
            return match[0]
        return WORDS.sub(one, text)


def slug(title: str) -> str:
    'The anchor of a heading, as MyST and GitHub make it; JupyterLab keeps the capitals.'
    return re.sub(r'[^\w\- ]', '', title.replace('%20', ' ')).strip().lower().replace(' ', '-')


def package_level(folder: Path) -> dict:
    'What `import mnist_cnn` offers: name -> module, from the stub.'
    stub = (folder / '__init__.pyi').read_text(encoding='utf-8')
    return {name.strip(): module for module, names in re.findall(r'^from \.(\w+) import (.+)$', stub, re.M) for name in names.split(',')}
