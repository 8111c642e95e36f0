'Package metadata comes from `settings.ini`: edit it there, not here.'
import shlex
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

config = ConfigParser(delimiters=['='])
config.read('settings.ini', encoding='utf-8')
cfg = config['DEFAULT']
statuses = ['Planning', 'Pre-Alpha', 'Alpha', 'Beta', 'Production/Stable', 'Mature', 'Inactive']


def requirements(key): return shlex.split(cfg[key])


setup(
    name=cfg['lib_name'],
    **{key: cfg[key] for key in ('version', 'description', 'keywords', 'author', 'author_email')},
    url=cfg['git_url'],
    license='Apache-2.0',
    classifiers=[f'Development Status :: {cfg["status"]} - {statuses[int(cfg["status"]) - 1]}',
                 f'Intended Audience :: {cfg["audience"]}',
                 *(f'Programming Language :: Python :: 3.{minor}' for minor in range(10, 14))],
    # The weights live once in git, in `models/`; a wheel carries them inside the package.
    packages=['mnist_cnn', 'mnist_cnn.models'],
    package_dir={'mnist_cnn.models': 'models'},
    package_data={'mnist_cnn': ['*.pyi', 'sample/*', 'examples/*', 'static/*'],
                  'mnist_cnn.models': ['*.pth', '*.onnx', '*.json', '*.md']},
    install_requires=requirements('requirements'),
    extras_require={key.removesuffix('_requirements'): requirements(key)
                    for key in cfg if key.endswith('_requirements')},
    python_requires='>=' + cfg['min_python'],
    long_description=Path('README.md').read_text(encoding='utf-8') if Path('README.md').exists() else '',
    long_description_content_type='text/markdown',
    entry_points={'console_scripts': requirements('console_scripts'),
                  'nbdev': [f'{cfg["lib_path"]}={cfg["lib_path"]}._modidx:d']},
)
