# Makes tpe.json: python tpe.py > tpe.json. Needs optuna 5.
# Log densities of Optuna's Parzen estimators, with points, cells and candidates on the scale 0 … 1 of each parameter.
import json
import math

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import parzen_estimator
from optuna.samplers._tpe.sampler import default_gamma, default_weights

# numpy's default leaves open which of equal numbers comes first; here it is the older one.
argsort = np.argsort
np.argsort = lambda a, kind='stable': argsort(a, kind='stable')

rng = np.random.default_rng(11)


def draw(distribution, n):
    if isinstance(distribution, CategoricalDistribution):
        return rng.integers(0, len(distribution.choices), n).astype(float)
    low, high = distribution.low, distribution.high
    if distribution.step:
        low, high = low - distribution.step / 2, high + distribution.step / 2
    # Half of them crowded together, as they are when a search goes on.
    units = np.where(rng.random(n) < 0.5, rng.random(n), np.clip(0.3 + 0.02 * rng.standard_normal(n), 0, 1))
    values = np.exp(math.log(low) + units * math.log(high / low)) if distribution.log else low + units * (high - low)
    if distribution.step:
        values = distribution.low + np.round((values - distribution.low) / distribution.step) * distribution.step
    return np.clip(values, distribution.low, distribution.high)


def column(distribution):
    """Kind, and the edges of cells on the scale 0 … 1; how a value is brought to it."""
    if isinstance(distribution, CategoricalDistribution):
        return {'kind': 'category', 'size': len(distribution.choices)}, lambda x: x, 0
    step = distribution.step or 0
    low, high = distribution.low - step / 2, distribution.high + step / 2
    scale = np.log if distribution.log else (lambda x: np.asarray(x, float))
    unit = lambda x: (scale(x) - scale(low)) / (scale(high) - scale(low))
    if not step:
        return {'kind': 'number', 'edges': None}, unit, math.log(float(scale(high) - scale(low)))
    edges = unit(np.arange(distribution.low, distribution.high + 1.5 * step, step) - step / 2)
    return {'kind': 'number', 'edges': edges.tolist()}, unit, 0


def problem(space, count):
    observed = {name: draw(distribution, count) for name, distribution in space.items()}
    at = {name: draw(distribution, 12) for name, distribution in space.items()}
    parameters = parzen_estimator._ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    densities = parzen_estimator._ParzenEstimator(observed, space, parameters).log_pdf(at)
    columns = [column(distribution) for distribution in space.values()]
    # A density by values is one by units over the length of the range.
    densities = densities + sum(length for _, _, length in columns)
    scaled = lambda values: [unit(values[name]).tolist() for name, (_, unit, _) in zip(space, columns)]
    return {'columns': [kind for kind, _, _ in columns], 'observed': scaled(observed), 'at': scaled(at), 'densities': densities.tolist()}


reals = {'a': FloatDistribution(-5, 10), 'b': FloatDistribution(1e-6, 10, log=True)}
mixed = {'a': FloatDistribution(1e-6, 1e-1, log=True), 'b': IntDistribution(32, 80, log=True), 'c': CategoricalDistribution(['x', 'y', 'z']),
         'd': IntDistribution(1, 6), 'e': FloatDistribution(0, 0.7, step=0.1), 'f': IntDistribution(0, 40, step=8)}
print(json.dumps({
    'good': [default_gamma(n) for n in range(0, 400)],
    'weights': {n: default_weights(n).tolist() for n in [0, 1, 24, 25, 26, 27, 60]},
    'estimators': [problem(reals, n) for n in [0, 1, 2, 3, 10, 30, 120]] + [problem(mixed, n) for n in [0, 1, 2, 7, 26, 90]],
}))
