# torch.optim's optimizers by our names, each with foreach and without where there is the choice.
import inspect

import torch

made = {
    'sgd': (torch.optim.SGD, {}),
    'momentum': (torch.optim.SGD, {'momentum': 0.9}),
    'nesterov': (torch.optim.SGD, {'momentum': 0.9, 'nesterov': True}),
    'adagrad': (torch.optim.Adagrad, {}),
    'rmsprop': (torch.optim.RMSprop, {}),
    'rmsprop_momentum': (torch.optim.RMSprop, {'momentum': 0.9}),
    'rmsprop_centered': (torch.optim.RMSprop, {'centered': True}),
    'rmsprop_centered_momentum': (torch.optim.RMSprop, {'centered': True, 'momentum': 0.9}),
    'adadelta': (torch.optim.Adadelta, {}),
    'adam': (torch.optim.Adam, {}),
    'amsgrad': (torch.optim.Adam, {'amsgrad': True}),
    'nadam': (torch.optim.NAdam, {}),
}


def optimizers():
    for name, (kind, options) in made.items():
        options = {'lr': 1e-6, **options}
        variants = [False, True] if 'foreach' in inspect.signature(kind).parameters else [None]
        yield name, [(kind, options if foreach is None else {**options, 'foreach': foreach}) for foreach in variants]
