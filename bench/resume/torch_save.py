# Prints a line a save: milliseconds that torch.save takes for 10 million parameters and Adam's state of them.
import json
import sys
import tempfile
import time

import torch

layers = []
widths = [1000, 3000, 2100, 326, 10]
for inputs, outputs in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
update = torch.optim.Adam(model.parameters(), lr=1e-4)
torch.nn.CrossEntropyLoss()(model(torch.rand(16, 1000)), torch.randint(10, (16,))).backward()
update.step()
with tempfile.TemporaryDirectory() as folder:
    for save in range(int(sys.argv[1])):
        began = time.perf_counter()
        torch.save({'model': model.state_dict(), 'optimizer': update.state_dict()}, f'{folder}/{save}.pt')
        print(json.dumps({'save': 1000 * (time.perf_counter() - began)}), flush=True)
