'Sphinx: how the pages that `build.py` wrote become a site.'
import json
import re
from pathlib import Path

from nbdev.config import get_config

config = get_config()
project, author, release, copyright = config.title, config.author, config.version, config.copyright

extensions = ['myst_nb', 'sphinx_copybutton']
nb_execution_mode = 'off'                            # what the cells showed is stored in the notebooks
nb_mime_priority_overrides = [('html', 'text/markdown', 1)]
myst_enable_extensions = ['alert', 'amsmath', 'attrs_block', 'attrs_inline', 'colon_fence', 'deflist', 'dollarmath', 'fieldlist']
myst_dmath_allow_space = myst_dmath_allow_digits = False   # "from $5 to $9" is no formula
myst_heading_anchors = 4
suppress_warnings = ['myst.header']
nitpicky = True                                      # a name that links to nothing is a mistake, unless it is somebody else's type
nitpick_ignore_regex = [('py:(class|exc|obj)', r'(?!mnist_cnn\.).*')]
exclude_patterns = ['**.ipynb_checkpoints']
add_module_names = smartquotes = False              # 'cuda' is what one types
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = 'hide'
copybutton_exclude = '.linenos, .gp, .go'

html_theme = 'sphinx_book_theme'
html_title = config.title
html_static_path = ['_static']
html_css_files = ['site.css']
html_favicon = '../mnist_cnn/static/icon.svg'
html_context = dict(default_mode='auto')            # light or dark as the reader's system is
html_baseurl = f'{config.doc_host}{config.doc_baseurl}/'
html_copy_source = html_show_sourcelink = html_use_index = False   # api/index lists the names
html_theme_options = dict(
    repository_url=config.git_url, repository_branch=config.branch, use_repository_button=True, use_source_button=True,
    use_issues_button=True, use_download_button=False, home_page_in_toc=True, show_toc_level=2,
    navbar_persistent=[])                            # else there are two fields to search in


def has_math(folder: Path) -> bool:
    'Whether any page has a formula; MathJax, 24 MB for readers without a network, is left out otherwise.'
    return any(re.search(r'\$\$|(?<![\w$])\$[^\s$`"{(][^$\n]*[^\s$]\$(?!\w)|\\begin\{(align|equation)', path.read_text(encoding='utf-8'))
               for path in folder.rglob('*') if path.suffix in ('.md', '.ipynb'))


def real_source(app, pagename, templatename, context, doctree):
    'Buttons to the source lead to the file in the repository that the page was made from.'
    origin = json.loads((Path(app.srcdir) / 'origin.json').read_text()).get(pagename)
    for group in context.get('header_buttons', []):
        for button in group.get('buttons', []):
            if button.get('label') == 'source-file-button' and origin:
                button['url'] = f'{config.git_url}/blob/{config.branch}/{origin}'


def setup(app):
    if has_math(Path(app.srcdir)): app.setup_extension('sphinx-mathjax-offline')
    app.connect('html-page-context', real_source, priority=900)
