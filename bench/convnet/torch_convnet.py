# Arguments: number of the net, mode. Modes: NCHW, channels_last; compiled, channels last. Says its version, then answers
# each line, milliseconds to measure, with microseconds of a step of training. The batch is resident.
import json
import os
import sys

import torch

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(folder, '..', 'lib'))
from bunches import microseconds_of

number, mode = int(sys.argv[1]), sys.argv[2]
with open(os.path.join(folder, 'nets.json'), encoding='utf8') as file:
    net = json.load(file)[number]
torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
torch.set_flush_denormal(True)
batch = net.get('batch', 128)
layout = torch.contiguous_format if mode == 'NCHW' else torch.channels_last
height, width, channels = net['input']


def layer_of(text, shape):
    """What words of nets.json stand for, after a layer whose outputs have this shape."""
    name, *words = text.split()
    if name == 'conv':
        padding = 0 if 'valid' in words else 'same'
        return torch.nn.Conv2d(shape[1], int(words[0]), int(words[1]), padding=padding, bias='plain' not in words)
    if name == 'norm':
        norm = torch.nn.BatchNorm2d(shape[1])
        norm.weight.requires_grad_('plain' not in words)
        return norm
    if name == 'dense':
        return torch.nn.Linear(shape[1], int(words[0]))
    if name == 'pool':
        return torch.nn.MaxPool2d(int(words[0]))
    if name == 'average':
        return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return {'relu': torch.nn.ReLU, 'gelu': torch.nn.GELU, 'flatten': torch.nn.Flatten}[name]()


def network():
    layers, value = [], torch.zeros(2, channels, height, width)
    for text in net['layers'].split(', '):
        layers.append(layer_of(text, value.shape))
        value = layers[-1](value.detach())
    return torch.nn.Sequential(*layers)


torch.manual_seed(1)
model = network().to(memory_format=layout)
x = (torch.rand(batch, channels, height, width) * 2 - 1).to(memory_format=layout)
y = torch.randint(10, (batch,))
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
update = torch.optim.SGD(trained, lr=1e-4, momentum=0.9, nesterov=True, fused=True)
entropy = torch.nn.CrossEntropyLoss()


def loss():
    return entropy(model(x), y)


if mode == 'compiled':
    loss = torch.compile(loss)


def bunch(count):
    for _ in range(count):
        update.zero_grad(set_to_none=True)
        loss().backward()
        update.step()


bunch(1)
print(torch.__version__, flush=True)
for line in sys.stdin:
    print(microseconds_of(bunch, float(line)), flush=True)
