'The web app: `python app.py` is `mnist-cnn web`, with the same arguments.'
import sys
from mnist_cnn.cli import main

if __name__ == '__main__': sys.exit(main(['web', *sys.argv[1:]]))
