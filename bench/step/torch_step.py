# Arguments: see measure.py. Modes: eager; fused, with the fused optimizers; compiled, the whole step as one graph. The
# batch is resident.
import torch
from torch.func import functional_call, grad_and_value

from measure import batch, mode, report, widths, work

# Moments of units that are never active fade into denormals, which would take ten times as long; XLA does the same.
torch.set_flush_denormal(True)
rate, momentum, beta1, beta2, epsilon = 1e-4, 0.9, 0.9, 0.999, 1e-8
layers = []
for inputs, outputs in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
loss = torch.nn.CrossEntropyLoss()
x = torch.rand(batch, widths[0]) * 2 - 1
y = torch.randint(widths[-1], (batch,))


def compiled(function):
    # Calls between kernels in C++ as well: half the time of the smallest net.
    return torch.compile(function, fullgraph=True, options={'cpp_wrapper': True})


def eager_step():
    kind = {'fused': True} if mode == 'fused' else {'foreach': True}
    if work == 'adam':
        update = torch.optim.Adam(model.parameters(), lr=rate, **kind)
    else:
        update = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, nesterov=True, **kind)

    def step():
        update.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        update.step()

    return step


def compiled_step():
    """One graph, from the batch to the new weights: faster than a compiled loss and its optimizer, compiled or fused."""
    parameters = {name: value.detach().clone() for name, value in model.named_parameters()}
    means = {name: torch.zeros_like(value) for name, value in parameters.items()}
    squares = {name: torch.zeros_like(value) for name, value in parameters.items()}
    steps = torch.zeros(())

    def adam(gradients):
        steps.add_(1)
        scale1, scale2 = 1 / (1 - beta1**steps), 1 / (1 - beta2**steps)
        for name, gradient in gradients.items():
            means[name].lerp_(gradient, 1 - beta1)
            squares[name].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            parameters[name].sub_(rate * (means[name] * scale1) / ((squares[name] * scale2).sqrt() + epsilon))

    def nesterov(gradients):
        for name, gradient in gradients.items():
            means[name].mul_(momentum).add_(gradient)
            parameters[name].sub_(rate * (gradient + momentum * means[name]))

    def whole():
        gradients, value = grad_and_value(lambda weights: loss(functional_call(model, weights, (x,)), y))(parameters)
        adam(gradients) if work == 'adam' else nesterov(gradients)
        return value

    jitted = compiled(whole)

    def step():
        with torch.no_grad():
            jitted()

    return step


def forward_pass():
    function = (lambda: loss(model(x), y)) if work == 'evaluate' else (lambda: model(x))
    jitted = compiled(function) if mode == 'compiled' else function

    def step():
        with torch.inference_mode():
            jitted()

    return step


def chosen_step():
    if work in ('evaluate', 'predict'):
        return forward_pass()
    return compiled_step() if mode == 'compiled' else eager_step()


step = chosen_step()


def bunch(count):
    for _ in range(count):
        step()


report(f'PyTorch {torch.__version__}', bunch)
