# Parameters per second of torch.optim on one flat tensor. Arguments: threads, log2 of the number of parameters, ….
import json
import sys
import time

import torch
from torch_optimizers import optimizers


def rate(kind, options, n):
    w = torch.nn.Parameter(torch.rand(n) - 0.5)
    w.grad = torch.rand(n) - 0.5
    optimizer = kind([w], **options)
    repeats = max(1, min(20, 2**22 // n))
    times = []
    for turn in range(4 if n > 2**24 else 6):
        start = time.perf_counter()
        for _ in range(repeats):
            optimizer.step()
        times.append(time.perf_counter() - start)
    times = sorted(times[1:])
    return n * repeats / times[len(times) // 2]


threads = int(sys.argv[1])
torch.set_num_threads(threads)
for power in map(int, sys.argv[2:]):
    for name, variants in optimizers():
        best = max(rate(kind, options, 2**power) for kind, options in variants)
        print(json.dumps({'optimizer': name, 'parameters': 2**power, 'threads': threads, 'rate': best}), flush=True)
