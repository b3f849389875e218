"""What PyTorch takes for what kernels.cc measures, or with the argument `steps` for what steps.js does, in their lines: a name, a
tab, seconds a call, the median of rounds."""
import itertools
import statistics
import sys
import time
import torch
import torch.nn.functional as functional

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
STEPS = sys.argv[1:] == ["steps"]
LAYERS = [] if STEPS else [tuple(map(int, line.split())) for line in sys.argv[1:]]


def random(*shape):
    return torch.rand(*shape, device="cuda") - 0.5


def measure(name, call):
    def seconds_of(calls):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
        return time.perf_counter() - begin

    seconds_of(3)
    calls = 1
    while seconds_of(calls) < 0.02:
        calls *= 2
    print(f"{name}\t{statistics.median(seconds_of(calls) / calls for _ in range(9)):.9f}", flush=True)


def measure_updates():
    w = random(100_000_000).requires_grad_()
    w.grad = random(w.numel())
    adam = torch.optim.Adam([w], lr=1e-3, eps=1e-8, fused=True)
    measure("adam", adam.step)
    weights = w.detach()
    average, before = weights.clone(), weights.clone()

    def step():
        before.copy_(weights)
        torch.nn.utils.clip_grad_norm_([w], 1.0)  # which tells the gradient's norm
        adam.step()
        average.lerp_(weights, 0.001)
        torch.linalg.vector_norm(weights), torch.linalg.vector_norm(weights - before)

    measure("adam, clip, average", step)


def measure_rows():
    scores = random(65536, 1024).requires_grad_()
    labels = torch.zeros(65536, dtype=torch.long, device="cuda")

    def loss():
        scores.grad = None
        functional.cross_entropy(scores, labels).backward()

    measure("cross-entropy and gradient", loss)
    x, dy = scores.detach().requires_grad_(), random(65536, 1024)
    gain, bias = random(1024).requires_grad_(), random(1024).requires_grad_()
    forward = {
        "layer norm": lambda: functional.layer_norm(x, (1024,), gain, bias),
        "batch norm": lambda: functional.batch_norm(x, None, None, gain, bias, training=True),
    }
    for name, norm in forward.items():
        measure(name, norm)
        y = norm()
        measure(f"{name}, backward", lambda: torch.autograd.grad(y, (x, gain, bias), dy, retain_graph=True))


def measure_layer(m, k, n):
    most = max(m * k, k * n, m * n)
    sets = [(random(m, k), random(k, n), random(m, n)) for _ in range(max(1, 2**25 // most))]
    bias, turn = random(n), itertools.cycle(sets)

    def step():
        x, w, dy = next(turn)
        torch.relu(torch.addmm(bias, x, w))
        (dy @ w.T) * (x > 0)
        x.T @ dy

    measure(f"layer {m} {k} {n}", step)


def measure_step(widths, batch):
    """Eager, with the optimizer that is the default there; then all of it as one graph, with the fused one."""
    name = "step " + "-".join(map(str, widths))
    layers = [layer for pair in zip(widths, widths[1:]) for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1]).cuda()
    x, y = random(batch, widths[0]), torch.randint(widths[-1], (batch,), device="cuda")

    def step_by(adam):
        def step():
            adam.zero_grad(set_to_none=True)
            functional.cross_entropy(model(x), y).backward()
            adam.step()

        return step

    measure(name, step_by(torch.optim.Adam(model.parameters(), lr=1e-3)))
    step = step_by(torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=True))
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    measure(name + ", graph and fused Adam", graph.replay)


if STEPS:
    measure_step([784, 512, 512, 10], 128)
    measure_step([32, 64, 64, 8], 32)
    sys.exit()

source, target = random(350_000_000), torch.empty(350_000_000, device="cuda")
measure("copy", lambda: target.copy_(source))
del source, target
measure_updates()
measure_rows()
a, b = random(4096, 4096), random(4096, 4096)
measure("product of 4096", lambda: a @ b)
for layer in LAYERS:
    measure_layer(*layer)
