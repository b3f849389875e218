# Makes gaussian-process.json: python gaussian_process.py > gaussian-process.json. Needs scikit-learn and mpmath.
# Posterior means and deviations by scikit-learn at given hyperparameters, and log expected improvements by mpmath.
import json

import mpmath
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

rng = np.random.default_rng(5)


def problem(count, reals, categories, weights, scale, noise):
    def columns(n):
        parts = [rng.random((n, reals))] + [rng.integers(0, size, (n, 1)) for size in categories]
        return np.hstack(parts).astype(float)

    # One column for each category, 1/sqrt(2) where it is the one: two points that differ are 1 from each other.
    def unfolded(x):
        hot = [np.eye(size)[x[:, reals + i].astype(int)] / np.sqrt(2) for i, size in enumerate(categories)]
        return np.hstack([x[:, :reals]] + hot)

    lengths = [w**-0.5 for w in weights[:reals]]
    for size, weight in zip(categories, weights[reals:]):
        lengths += [weight**-0.5] * size
    x, at, values = columns(count), columns(12), rng.standard_normal(count)
    at[0] = x[0]
    model = GaussianProcessRegressor(ConstantKernel(scale) * Matern(lengths, nu=2.5), alpha=noise, optimizer=None)
    mean, deviation = model.fit(unfolded(x), values).predict(unfolded(at), return_std=True)
    return {
        'isCategory': [False] * reals + [True] * len(categories), 'weights': weights, 'scale': scale, 'noise': noise,
        'points': x.tolist(), 'values': values.tolist(), 'at': at.tolist(), 'mean': mean.tolist(), 'deviation': deviation.tolist(),
        'evidence': model.log_marginal_likelihood_value_,
    }


mpmath.mp.dps = 1000  # at 40 deviations the two terms agree in 350 digits
improvements = []
for z in [-1e6, -1000, -60.1, -59.9, -40, -39.5, -30.25, -25, -20, -12, -8, -5, -3, -1.5, -1, -0.999, -0.5, 0, 0.25, 1, 2.5, 6, 12]:
    improvements.append([z, float(mpmath.log(mpmath.npdf(z) + mpmath.mpf(z) * mpmath.ncdf(z)))])

print(json.dumps({
    'posterior': [
        problem(17, 3, [], [9.0, 0.7, 30.0], 1.3, 1e-6),
        problem(30, 2, [3, 2], [4.0, 25.0, 0.5, 2.0], 0.8, 0.02),
        problem(41, 0, [5, 4], [1.5, 0.3], 2.0, 0.3),
    ],
    'improvement': improvements,
}))
