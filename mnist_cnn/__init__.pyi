from . import cli, data, distractors, distributed, imaging, inference, model, train, web, widget
from .data import DataError, Digits, MNIST, load_mnist
from .distributed import launch
from .imaging import ImageError, to_mnist
from .inference import Prediction, Predictor, predict, preprocess, read_digits
from .model import MNISTCNN, WeightsError, load_model, save_model
from .train import Evaluation, History, Recipe, evaluate, fit
from .widget import DigitCanvas, DigitUpload
