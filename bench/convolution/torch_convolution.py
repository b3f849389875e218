# PyTorch's convolutions, on request: see bench/native/convolution.cc. What: contiguous, channels_last, of so many groups as a
# last number says.
import statistics
import sys
import time

import torch

# Outputs are made afresh by each call; index.js sets the allocator so that their memory is used again.
torch.set_num_threads(int(sys.argv[1]))
print(torch.__version__, flush=True)


def call_of(what, product, images, side, channels, filters, kernel, stride, padding, groups=1):
    layout = torch.channels_last if what == 'channels_last' else torch.contiguous_format

    def some(*shape):
        return (torch.rand(*shape) * 2 - 1).to(memory_format=layout)

    x, w, bias = some(images, channels, side, side), some(filters, channels // groups, kernel, kernel), torch.rand(filters)
    convolve = torch.nn.functional.conv2d
    if product == 'forward':
        return lambda: convolve(x, w, bias, stride, padding, groups=groups)
    dy = convolve(x, w, bias, stride, padding, groups=groups).contiguous(memory_format=layout)
    wanted = [False, True, True] if product == 'dW' else [True, False, False]
    back = torch.ops.aten.convolution_backward
    pair = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups
    return lambda: back(dy, x, w, [filters], *pair, wanted)


def seconds_of(call):
    times = []
    call()
    while sum(times) < 0.06 or len(times) < 3:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


with torch.no_grad():
    for line in sys.stdin:
        what, product, *sizes = line.split()
        print(seconds_of(call_of(what, product, *map(int, sizes))), flush=True)
