# Arguments: see measure.py. jit(vmap(…)) over members whose weights are stacked: their combined prediction, or a step of
# Adam of all of them. Modes: step, each one call; loop, a bunch of training steps in one call. The batch is resident.
import os

from measure import batch, members, mode, report, threads, widths, work

if hasattr(os, 'sched_setaffinity'):  # XLA takes as many threads as the process may use cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
import jax
import jax.numpy as jnp

rate, beta1, beta2, epsilon = 1e-4, 0.9, 0.999, 1e-8
keys = jax.random.split(jax.random.key(1), len(widths) + 1)
parameters = [
    (jax.random.normal(key, (members, inputs, outputs)) * (2 / inputs) ** 0.5, jnp.zeros((members, outputs)))
    for key, inputs, outputs in zip(keys[2:], widths, widths[1:])
]
x = jax.random.uniform(keys[0], (batch, widths[0]), minval=-1)
y = jax.random.randint(keys[1], (batch,), 0, widths[-1])


def scores(parameters, x):
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def combined(parameters, x):
    logs = jax.nn.log_softmax(jax.vmap(scores, in_axes=(0, None))(parameters, x))
    return jax.nn.logsumexp(logs, axis=0) - jnp.log(members)


def loss(parameters, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores(parameters, x)), y[:, None], axis=1))


def step_of_one(parameters, means, squares, count):
    value, gradients = jax.value_and_grad(loss)(parameters, x, y)
    means = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, means, gradients)
    squares = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, squares, gradients)
    scale1, scale2 = 1 / (1 - beta1**count), 1 / (1 - beta2**count)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * (m * scale1) / (jnp.sqrt(v * scale2) + epsilon), parameters, means, squares
    )
    return parameters, means, squares, value


def step(parameters, means, squares, count, _):
    count = count + 1
    *state, values = jax.vmap(step_of_one, in_axes=(0, 0, 0, None))(parameters, means, squares, count)
    return *state, count, values


def training():
    """bunch(count) of training: parameters and state are given away and come back new."""

    def loop(*state_and_count):
        *state, count = state_and_count
        return jax.lax.fori_loop(0, count, lambda _, last: step(*last), tuple(state))

    jitted = jax.jit(step if mode == 'step' else loop, donate_argnums=(0, 1, 2))
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    now = [parameters, zeros(), zeros(), jnp.zeros(()), jnp.zeros(members)]

    def bunch(count):
        if mode == 'loop':
            now[:] = jitted(*now, count)
        else:
            for _ in range(count):
                now[:] = jitted(*now)
        jax.block_until_ready(now)

    return bunch


def passes():
    jitted = jax.jit(combined)

    def bunch(count):
        for _ in range(count):
            result = jitted(parameters, x)
        jax.block_until_ready(result)

    return bunch


report(f'JAX {jax.__version__}', training() if work == 'train' else passes())
