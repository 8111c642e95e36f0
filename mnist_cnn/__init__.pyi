from .data import DataError, Digits, MNIST, load_mnist
from .inference import Prediction, Predictor, predict, preprocess
from .model import MNISTCNN, WeightsError, load_model, save_model
from .train import Evaluation, History, Recipe, evaluate, fit
