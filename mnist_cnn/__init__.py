'A small convolutional network that reads handwritten digits: names load when they are first used (SPEC 1).'
__version__ = "0.1.0"
import lazy_loader
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
