from . import cli, data, distractors, distributed, export, imaging, inference, kaggle, many, model, train, understand, web, weights, widget
from .data import DataError, Digits, MNIST, load_mnist
from .distributed import launch
from .imaging import ImageError, to_mnist
from .inference import Prediction, Predictor, predict, preprocess, read_digits
from .many import predict_many
from .model import MNISTCNN, load_model, save_model
from .train import Evaluation, History, Recipe, evaluate, fit
from .understand import Report
from .weights import WeightsError
from .widget import DigitCanvas, DigitUpload
