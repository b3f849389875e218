# Microseconds of one optimizer.step() over all tensors of a model. Argument: threads. The layouts are those of model_update.cc.
import json
import statistics
import sys
import time

import torch
from torch_optimizers import optimizers

torch.set_num_threads(int(sys.argv[1]))
layouts = {
    '8 tensors, 1 M': [499 * 500, 500] * 4,
    '64 tensors, 100 k': [55 * 56, 56] * 32,
}


def microseconds(kind, options, sizes):
    parameters = [torch.nn.Parameter(torch.rand(size) - 0.5) for size in sizes]
    for parameter in parameters:
        parameter.grad = torch.rand(parameter.shape) - 0.5
    optimizer = kind(parameters, **options)
    times = []
    for turn in range(15):
        start = time.perf_counter()
        for _ in range(3):
            optimizer.step()
        times.append((time.perf_counter() - start) / 3)
    return 1e6 * statistics.median(times[5:])


for model, sizes in layouts.items():
    for name, variants in optimizers():
        best = min(microseconds(kind, options, sizes) for kind, options in variants)
        print(json.dumps({'model': model, 'optimizer': name, 'microseconds': best}), flush=True)
