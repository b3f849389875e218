# Arguments: number of the net, evaluations wanted. Prints evaluations and seconds of gradcheck over elements of the biases.
import json
import os
import sys
import time

import torch

number, wanted = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(2)
with open(os.path.join(os.path.dirname(__file__), 'nets.json')) as file:
    net = json.load(file)[number]
widths, rows = net['widths'], net['examples']
torch.set_default_dtype(torch.float64)
layers = [torch.nn.Linear(inputs, outputs) for inputs, outputs in zip(widths, widths[1:])]
for layer in layers:
    layer.requires_grad_(False)
x = torch.rand(rows, widths[0]) * 2 - 1
y = torch.randint(widths[-1], (rows,))
evaluations = 0
# A stretch of each bias is checked; the rest of it stays.
lengths = [min(widths[i + 1], wanted // (2 * len(layers))) for i in range(len(layers))]
parts = [layer.bias[:n].clone().requires_grad_(True) for layer, n in zip(layers, lengths)]
rests = [layer.bias[n:] for layer, n in zip(layers, lengths)]


def loss(*biases):
    global evaluations
    evaluations += 1
    z = x
    for i, layer in enumerate(layers):
        z = torch.addmm(torch.cat([biases[i], rests[i]]), z, layer.weight.t())
        if i < len(layers) - 1:
            z = torch.relu(z)
    return torch.nn.functional.cross_entropy(z, y)


def check():
    global evaluations
    evaluations = 0
    begin = time.perf_counter()
    torch.autograd.gradcheck(loss, parts, eps=1e-6, atol=1e-4, raise_exception=False)
    return evaluations, time.perf_counter() - begin


check()
count, seconds = check()
print(json.dumps({'evaluations': count, 'seconds': seconds}))
