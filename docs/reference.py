'The API reference, read from the source of the package: nothing is imported, so no extra is needed to build it.'
import ast
import io
import re
import tokenize
from pathlib import Path

from links import page_name


def read_package(root: Path) -> dict:
    'Every exported module: its sentence, its notebook, and the syntax tree of each of its public names.'
    package = {}
    for path in sorted((root / 'mnist_cnn').glob('*.py')):
        source = path.read_text(encoding='utf-8')
        notebook = re.search(r'File to edit: \.\./(nbs/\S+\.ipynb)', source)
        if not notebook: continue
        tree = ast.parse(source)
        public = next((ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
                       and ast.unparse(node.targets[0]) == '__all__'), [])
        found = {name: node for node in tree.body for name in names_of(node) if name in public}
        module = f'mnist_cnn.{path.stem}'
        package[module] = dict(path=path.relative_to(root).as_posix(), doc=ast.get_docstring(tree) or '', notebook=notebook[1], comments=comments(source),
                               names={name: found[name] for name in public if name in found}, tree=tree, anchors=anchors(root, module))
    return package


def names_of(node: ast.stmt) -> list:
    'The names that a statement at the top of a module defines.'
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def anchors(root: Path, module: str) -> dict:
    'The anchor of each name, and of each method, on its notebook\'s page, as nbdev\'s index has it.'
    space = {}
    exec((root / 'mnist_cnn' / '_modidx.py').read_text(encoding='utf-8'), space)
    return {name[len(module) + 1:]: where[0].split('#')[1] for name, where in space['d']['syms'].get(module, {}).items()}


def comments(source: str) -> dict:
    'Line -> its comment.'
    return {token.start[0]: token.string.lstrip('# ').strip() for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT}


class Writer:
    'Entries of one module, in the words of Sphinx\'s Python domain.'
    def __init__(self, module: str, package: dict, links):
        self.module, self.page, self.links = module, package[module], links

    def prose(self, text: str) -> str: return self.links.mend(text, self.links.root / 'nbs', 'api/module', self.module)

    def annotation(self, node) -> str:
        'A type as it is written, with the names of this package in full, so that they become links.'
        class Full(ast.NodeTransformer):
            def visit_Name(this, node): return ast.Name(self.links.name(node.id, self.module) or node.id)
            def visit_Constant(this, node):
                return this.visit(ast.parse(node.value, mode='eval').body) if isinstance(node.value, str) else node
        return ast.unparse(Full().visit(ast.parse(ast.unparse(node), mode='eval').body))

    def parameters(self, function: ast.FunctionDef, method: bool) -> list:
        'Each parameter: its name with stars, annotation, default, and the comment beside it.'
        args, found = function.args, []
        plain = args.posonlyargs + args.args
        defaults = [None] * (len(plain) - len(args.defaults)) + args.defaults
        listed = [('', arg, default) for arg, default in zip(plain, defaults)]
        if args.vararg: listed.append(('*', args.vararg, None))
        elif args.kwonlyargs: found.append(('*', None, None, ''))
        listed += [('', arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults)]
        if args.kwarg: listed.append(('**', args.kwarg, None))
        for stars, arg, default in listed[1 if method and listed and listed[0][1].arg in ('self', 'cls') else 0:]:
            found.append((stars + arg.arg, arg.annotation, default, self.beside(default or arg)))
        return found

    def beside(self, node) -> str:
        'The comment at the end of a line, and those that go on alone below or before it.'
        line, words = node.end_lineno, self.page['comments']
        if line in words: return words[line]
        return words.get(node.lineno - 1, '') if (node.lineno - 1) in words and self.alone(node.lineno - 1) else ''

    def alone(self, line: int) -> bool:
        return self.links.source(self.page['path'])[line - 1].lstrip().startswith('#')

    def signature(self, parameters: list, returns) -> str:
        def shown(name, annotation, default, _):
            text = name + (f': {self.annotation(annotation)}' if annotation else '')
            return text + (f'{" = " if annotation else "="}{ast.unparse(default)}' if default is not None else '')
        return f'({", ".join(shown(*one) for one in parameters)})' + (f' -> {self.annotation(returns)}' if returns else '')

    def returned(self, function: ast.FunctionDef) -> str:
        'The comment beside the return annotation, or at the end of a signature that has none.'
        last = function.returns.end_lineno if function.returns else function.body[0].lineno - 1
        words = self.page['comments'].get(last, '')
        closes = self.links.source(self.page['path'])[last - 1].lstrip().startswith(')')
        return words if closes or function.returns else ''

    def raised(self, function) -> list:
        'The errors that a function raises itself.'
        found = [ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
                 for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc]
        return list(dict.fromkeys(name for name in found if re.fullmatch(r'[A-Z]\w*', name)))

    def where(self, node, name: str) -> str:
        'Links to the source and to the place in the notebook where it is told.'
        page = page_name(self.page['notebook'])
        anchor = self.page['anchors'].get(name, name.lower())
        return (f'<span class="source"><a href="{self.links.blob(self.page["path"])}#L{node.lineno}">source</a> · '
                f'<a href="../{page}.html#{anchor}">in the notebook</a></span>')

    def fields(self, parameters: list, function) -> list:
        lines = [f':param {name.lstrip("*")}: {self.prose(words)}' for name, _, _, words in parameters if words]
        if function is not None:
            if words := self.returned(function): lines.append(f':returns: {self.prose(words)}')
            for error in self.raised(function):
                full = self.links.name(error, self.module)
                lines.append(f':raises {full or error}: {self.prose(self.links.sentence(full)) if full else ""}')
        return lines

    def function(self, node, name: str, kind: str = 'function', owner: str = '') -> str:
        decorators = [ast.unparse(one) for one in node.decorator_list]
        method, prop = kind == 'method' and 'staticmethod' not in decorators, 'property' in decorators
        parameters = self.parameters(node, method)
        options = [f':{word}:' for word in ('classmethod', 'staticmethod') if word in decorators]
        if prop: kind, options, head = 'property', [f':type: {self.annotation(node.returns)}'] if node.returns else [], name
        else: head = name + self.signature(parameters, node.returns)
        body = [self.prose(ast.get_docstring(node) or ''), '\n'.join(self.fields(parameters, node)), '' if owner else self.where(node, name)]
        return directive(kind, head, options, body)

    def constant(self, node, name: str) -> str:
        value = ast.unparse(node.value) if isinstance(node, (ast.Assign, ast.AnnAssign)) else ''
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            value = ast.unparse(node.value.elts[[one.id for one in node.targets[0].elts].index(name)])
        options, lines = [f':value: {value}'] if len(value) < 60 else [], self.links.source(self.page['path'])[node.lineno - 1:node.end_lineno]
        whole = '' if options or len(lines) > 12 else '```python\n' + '\n'.join(lines) + '\n```'
        return directive('data', name, options, [self.prose(self.page['comments'].get(node.lineno, '')), whole, self.where(node, name)])

    def klass(self, node: ast.ClassDef, name: str) -> str:
        bases = [ast.unparse(base) for base in node.bases]
        init = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == '__init__'), None)
        data = any('dataclass' in ast.unparse(one) for one in node.decorator_list)
        parameters = self.parameters(init, True) if init else []
        if data and not init:
            parameters = [(one.target.id, one.annotation, one.value, self.beside(one)) for one in node.body if isinstance(one, ast.AnnAssign)]
        error = any(base.endswith('Error') or base == 'Exception' for base in bases)
        head = name + (self.signature(parameters, None) if parameters else '')
        ours = [f'{{py:obj}}`{base} <{full}>`' if (full := self.links.name(base, self.module)) else f'`{base}`' for base in bases]
        body = [self.prose(ast.get_docstring(node) or ''), f'A kind of {", ".join(ours)}.' if ours else '', '\n'.join(self.fields(parameters, init)), self.where(node, name)]
        for one in node.body:
            if isinstance(one, ast.FunctionDef) and documented(one): body.append(self.function(one, one.name, 'method', name))
            elif isinstance(one, ast.Assign) and one.lineno in self.page['comments']:
                body += [directive('attribute', name, [], [self.prose(self.page['comments'][one.lineno])]) for name in names_of(one) if name[0] != '_']
        return directive('exception' if error else 'class', head, [], body)

    def entry(self, name: str) -> str:
        node = self.page['names'][name]
        if isinstance(node, ast.ClassDef): return self.klass(node, name)
        return self.function(node, name) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else self.constant(node, name)


def documented(method: ast.FunctionDef) -> bool:
    'Public methods, and those special ones that somebody wrote a sentence about.'
    if any(ast.unparse(one).endswith(('.setter', '.deleter')) for one in method.decorator_list): return False   # the property has its entry
    special = method.name.startswith('__') and method.name != '__init__' and ast.get_docstring(method)
    return not method.name.startswith('_') or bool(special)


def directive(kind: str, head: str, options: list, body: list) -> str:
    'A directive whose fence is longer than any inside it.'
    text = '\n\n'.join(part for part in body if part)
    fence = ':' * max([3, *(len(found) + 1 for found in re.findall(r'^(:{3,})', text, re.M))])
    return '\n'.join([f'{fence}{{py:{kind}}} {head}', *options, '', text, fence])


def write_reference(sources: Path, package: dict, links, notebooks: list):
    'A page a module, in the order of the notebooks, and a page that lists them.'
    order = sorted(package, key=lambda module: package[module]['notebook'])
    rows = []
    for module in order:
        writer, page, stem = Writer(module, package, links), package[module], module.split('.')[1]
        told = page_name(page['notebook'])
        text = [f'# {module}', f'```{{py:currentmodule}} {module}\n```', f'> {writer.prose(page["doc"])}',
                f'Told in [the notebook](../{told}.ipynb).', *(writer.entry(name) for name in page['names'])]
        (sources / 'api' / f'{stem}.md').write_text('\n\n'.join(text) + '\n', encoding='utf-8')
        links.origin[f'api/{stem}'] = page['path']
        rows.append(f'| [`{module}`]({stem}.md) | {" ".join(f"{{py:obj}}`{name} <{module}.{name}>`" for name in page["names"])} |')
    text = ['# API', 'Every public name of every module. What `import mnist_cnn` itself offers:', top_level(links),
            '## Modules', '| module | names |\n|---|---|\n' + '\n'.join(rows),
            '```{toctree}\n:hidden:\n\n' + '\n'.join(module.split('.')[1] for module in order) + '\n```']
    (sources / 'api' / 'index.md').write_text('\n\n'.join(text) + '\n', encoding='utf-8')
    links.origin['api/index'] = 'mnist_cnn/__init__.pyi'


def top_level(links) -> str:
    'The names that need no module, and what each is, in a sentence.'
    rows = []
    for name in sorted(name for name in links.names if name.startswith('mnist_cnn.') and name.count('.') == 1 and name not in links.package):
        full = links.names[name][0]
        says = links.mend(links.sentence(full), links.root / 'nbs', 'api/index', full.rsplit('.', 1)[0])
        rows.append(f'| {{py:obj}}`{name} <{full}>` | {says} |')
    return '| name | what |\n|---|---|\n' + '\n'.join(rows)
