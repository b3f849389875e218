# Arguments: see measure.py. Members whose weights are stacked: log of the mean of their probabilities. Modes: bmm, one
# batched product a layer; vmap, torch.func.vmap of one member; each as it is and compiled as one graph. The batch is resident.
import math

import torch
from torch.func import vmap

from measure import batch, members, mode, report, widths

torch.set_flush_denormal(True)
weights = [torch.randn(members, inputs, outputs) * (2 / inputs) ** 0.5 for inputs, outputs in zip(widths, widths[1:])]
biases = [torch.zeros(members, outputs) for outputs in widths[1:]]
x = torch.rand(batch, widths[0]) * 2 - 1


def combined(scores):
    return torch.logsumexp(torch.log_softmax(scores, dim=-1), dim=0) - math.log(members)


def by_bmm(weights, biases, x):
    y = x.expand(members, *x.shape)
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        y = torch.baddbmm(bias[:, None], y, weight)
        if layer + 1 < len(weights):
            y = torch.relu(y)
    return combined(y)


def one(weights, biases, x):
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        x = torch.addmm(bias, x, weight)
        if layer + 1 < len(weights):
            x = torch.relu(x)
    return x


def by_vmap(weights, biases, x):
    return combined(vmap(one, in_dims=(0, 0, None))(weights, biases, x))


function = by_bmm if mode.startswith('bmm') else by_vmap
if mode.endswith('compiled'):
    # Calls between kernels in C++ as well.
    function = torch.compile(function, fullgraph=True, options={'cpp_wrapper': True})


def bunch(count):
    with torch.inference_mode():
        for _ in range(count):
            function(weights, biases, x)


report(f'PyTorch {torch.__version__}', bunch)
