# Arguments: number of the net, optimizer, milliseconds to measure. Prints microseconds a step: eager, one resident batch.
import json
import os
import statistics
import sys
import time

import torch

number, optimizer, milliseconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
torch.set_num_threads(2)
with open(os.path.join(os.path.dirname(__file__), 'nets.json')) as file:
    net = json.load(file)[number]
widths, batch = net['widths'], net['batch']
layers = []
for inputs, outputs in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
loss = torch.nn.CrossEntropyLoss()
if optimizer == 'adam':
    update = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
else:
    update = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, nesterov=True, foreach=True)
x = torch.rand(batch, widths[0]) * 2 - 1
y = torch.randint(widths[-1], (batch,))


def steps(count):
    begin = time.perf_counter()
    for _ in range(count):
        update.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        update.step()
    return (time.perf_counter() - begin) / count


def run(seconds, count):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        times.append(steps(count))
    return times


one = statistics.median(run(milliseconds / 4000, 1))
count = max(1, int(0.02 / one))
print(1e6 * statistics.median(run(milliseconds / 1000, count)))
