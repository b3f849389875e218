# Arguments: see measure.py. Modes: step, each step one call of what jax.jit made; loop, a bunch of steps in one call, as
# code does that keeps its data on the device. The whole step is compiled as one; the batch is resident.
import os

from measure import batch, mode, report, threads, widths, work

if hasattr(os, 'sched_setaffinity'):  # XLA takes as many threads as the process may use cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
import jax
import jax.numpy as jnp

rate, momentum, beta1, beta2, epsilon = 1e-4, 0.9, 0.9, 0.999, 1e-8
keys = jax.random.split(jax.random.key(1), len(widths) + 1)
parameters = [
    (jax.random.normal(key, (inputs, outputs)) * (2 / inputs) ** 0.5, jnp.zeros(outputs))
    for key, inputs, outputs in zip(keys[2:], widths, widths[1:])
]
x = jax.random.uniform(keys[0], (batch, widths[0]), minval=-1)
y = jax.random.randint(keys[1], (batch,), 0, widths[-1])


def scores(parameters, x):
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def loss(parameters, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores(parameters, x)), y[:, None], axis=1))


def adam(parameters, state, gradients):
    means, squares, count = state
    count = count + 1
    means = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, means, gradients)
    squares = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, squares, gradients)
    scale1, scale2 = 1 / (1 - beta1**count), 1 / (1 - beta2**count)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * (m * scale1) / (jnp.sqrt(v * scale2) + epsilon), parameters, means, squares
    )
    return parameters, (means, squares, count)


def nesterov(parameters, state, gradients):
    state = jax.tree.map(lambda s, g: momentum * s + g, state, gradients)
    parameters = jax.tree.map(lambda p, s, g: p - rate * (g + momentum * s), parameters, state, gradients)
    return parameters, state


def zeros():
    return jax.tree.map(jnp.zeros_like, parameters)


def training():
    """bunch(count) of training: parameters and state are given away and come back new."""
    update, state = (adam, (zeros(), zeros(), jnp.zeros(()))) if work == 'adam' else (nesterov, zeros())

    def step(parameters, state, x, y):
        value, gradients = jax.value_and_grad(loss)(parameters, x, y)
        return *update(parameters, state, gradients), value

    def loop(parameters, state, x, y, count):
        body = lambda _, last: step(last[0], last[1], x, y)
        return jax.lax.fori_loop(0, count, body, (parameters, state, jnp.zeros(())))

    jitted = jax.jit(step if mode == 'step' else loop, donate_argnums=(0, 1))
    now = [parameters, state, None]

    def bunch(count):
        if mode == 'loop':
            now[:] = jitted(now[0], now[1], x, y, count)
        else:
            for _ in range(count):
                now[:] = jitted(now[0], now[1], x, y)
        jax.block_until_ready(now)

    return bunch


def passes():
    """bunch(count) of forward passes, with or without the loss."""
    jitted = jax.jit(loss) if work == 'evaluate' else jax.jit(lambda parameters, x, y: scores(parameters, x))

    def bunch(count):
        for _ in range(count):
            result = jitted(parameters, x, y)
        jax.block_until_ready(result)

    return bunch


report(f'JAX {jax.__version__}', passes() if work in ('evaluate', 'predict') else training())
