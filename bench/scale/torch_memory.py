# Arguments: widths (784,256,10), batch. Prints by how many bytes the process grows, and did at most, from before the net
# is made until after some steps with Adam. A tiny net has been trained before, so that what PyTorch loads and the
# threads that it starts are not counted; nor are the data.
import json
import sys

import torch

torch.set_num_threads(2)


def bytes_of_process(field):
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith(field + ':'):
                return int(line.split()[1]) * 1024
    return 0


def train(widths, x, y):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    update = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
    for _ in range(12):
        update.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(x), y).backward()
        update.step()
    return model, update


def data(widths, batch):
    return torch.rand(batch, widths[0]) * 2 - 1, torch.randint(widths[-1], (batch,))


widths, batch = [int(width) for width in sys.argv[1].split(',')], int(sys.argv[2])
tiny = [8, 8, 2]
train(tiny, *data(tiny, 4))
x, y = data(widths, batch)
before = bytes_of_process('VmRSS')
kept = train(widths, x, y)
grown = {'grown': bytes_of_process('VmRSS') - before, 'most': bytes_of_process('VmHWM') - before}
print(json.dumps({'version': torch.__version__, **grown}))
