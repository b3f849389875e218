# Regrets of rivals' samplers on the problems of problems.js.
# Usage: rivals.py OUT.json PROBLEMS SAMPLERS FIRST COUNT (lists separated by commas); what OUT.json has is not done again.
# OUT.json: { versions, regrets: { problem: { sampler: { seed: [after 30, 60, 100 trials] } } } }, without noise, of the trial
# with the best value told.
import json
import math
import os
import random
import sys
import warnings
from importlib.metadata import version

import optuna
import rustuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings('ignore')
marks = [30, 60, 100]


def branin(t):
    x, y = t.suggest_float('x', -5, 10), t.suggest_float('y', 0, 15)
    bend = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


steepness = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
centres = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann(t):
    x = [t.suggest_float(f'x{i}', 0, 1) for i in range(6)]
    wells = (
        depth * math.exp(-sum(s * (a - c) ** 2 for s, a, c in zip(steepness[i], x, centres[i])))
        for i, depth in enumerate([1, 1.2, 3, 3.2])
    )
    return 3.322368011415515 - sum(wells)


def tuning(t):
    rate, l2 = t.suggest_float('learningRate', 1e-6, 10, log=True), t.suggest_float('l2', 1e-6, 1e-1, log=True)
    hidden, dropout = t.suggest_int('hidden', 32, 512, log=True), t.suggest_float('dropout', 0, 0.7)
    depth, batch = t.suggest_int('depth', 1, 6), t.suggest_categorical('batch', [32, 64, 128, 256])
    adam = t.suggest_categorical('optimizer', ['adam', 'nesterov']) == 'adam'
    m = t.suggest_float('beta1', 0.8, 0.99) if adam else t.suggest_float('momentum', 0.5, 0.99)
    return (
        0.06 * (math.log10(rate) + (2.7 if adam else 1.4)) ** 2
        + 0.03 * (math.log10(l2) + 4) ** 2
        + 0.02 * math.log2(hidden / 256) ** 2
        + 0.1 * (dropout - 0.25) ** 2
        + 0.01 * (depth - 3) ** 2
        + 0.01 * abs(math.log2(batch / 128))
        + (0.05 * ((m - 0.9) / 0.1) ** 2 if adam else 0.02 + 0.05 * ((m - 0.95) / 0.2) ** 2)
    )


def digits(t):
    index = 0
    for name, values in table['parameters'].items():
        if isinstance(values[0], str) or name == 'batch':
            at = values.index(t.suggest_categorical(name, values))
        elif isinstance(values[0] + values[1], int) and values[1] - values[0] == 1:
            at = t.suggest_int(name, values[0], values[-1]) - values[0]
        else:
            step = values[1] - values[0]
            at = round((t.suggest_float(name, values[0], values[-1], step=step) - values[0]) / step)
        index = index * len(values) + at
    return (table['errors'][index] - min(table['errors'])) / 1797


def plateaus(t):
    rate, width = t.suggest_float('rate', 1e-5, 1, log=True), t.suggest_int('width', 8, 512, log=True)
    x, y = t.suggest_float('x', 0, 1), t.suggest_float('y', 0, 1)
    bowl = 0.2 * (math.log10(rate) + 2.6) ** 2 + 0.08 * math.log2(width / 96) ** 2 + (x - 0.7) ** 2 + (y - 0.2) ** 2
    return min(0.4, math.floor(200 * bowl) / 200)


def failures(t):
    rate, momentum = t.suggest_float('rate', 1e-4, 10, log=True), t.suggest_float('momentum', 0, 0.99)
    x, y = t.suggest_float('x', 0, 1), t.suggest_float('y', 0, 1)
    speed = math.log10(rate / (1 - momentum))
    if speed > 0.2:
        return math.nan
    return 0.1 * (speed + 0.2) ** 2 + 0.2 * (momentum - 0.85) ** 2 + 0.3 * (x - 0.3) ** 2 + 0.3 * (y - 0.6) ** 2


def growing(t):
    x = [t.suggest_float(f'x{i}', 0, 1) for i in range(4)]
    return sum(weight * abs(a - c) ** 1.5 for weight, a, c in zip([1, 0.6, 0.4, 0.2], x, [0.62, 0.31, 0.77, 0.15]))


def dead(t):
    rate = t.suggest_float('rate', 1e-6, 1, log=True)
    x = [t.suggest_float(f'x{i}', 0, 1) for i in range(5)]
    return 0.08 * (math.log10(rate) + 3.1) ** 2 + 0.4 * (x[1] - 0.35) ** 2 + 0.2 * (x[1] - x[3]) ** 2


def ruling(t):
    layers, rate = t.suggest_int('layers', 1, 12), t.suggest_float('rate', 1e-5, 1, log=True)
    x, y = t.suggest_float('x', 0, 1), t.suggest_float('y', 0, 1)
    best = -1.5 - 0.2 * layers
    return 0.02 * (layers - 8) ** 2 + 0.06 * (math.log10(rate) - best) ** 2 + 0.1 * (x - layers / 16) ** 2 + 0.1 * (y - 0.4) ** 2


# The deviation of the noise that trials are told of, by regret.
noises = {tuning: lambda _: 0.01, growing: lambda regret: 0.005 + 0.3 * regret}
problems = [branin, hartmann, tuning, digits, plateaus, failures, growing, dead, ruling]
samplers = {
    'Optuna random': lambda seed: optuna.samplers.RandomSampler(seed=seed),
    'Optuna TPE': lambda seed: optuna.samplers.TPESampler(seed=seed),
    'Optuna TPE by groups': lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
    'Optuna CMA-ES': lambda seed: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
    'Optuna GP': lambda seed: optuna.samplers.GPSampler(seed=seed),
    'Rustuna TPE': lambda seed: rustuna.samplers.TPESampler(seed=seed),
}


def search(problem, name, seed):
    package = rustuna if name.startswith('Rustuna') else optuna
    study = package.create_study(sampler=samplers[name](seed), direction='minimize')
    seen = []

    def objective(trial):
        regret = problem(trial)
        deviation = noises[problem](regret) if problem in noises else 0
        value = regret + (random.Random(f'{seed}/{trial.number}').gauss(0, deviation) if deviation else 0)
        seen.append((value if math.isfinite(value) else math.inf, regret))
        return value

    study.optimize(objective, n_trials=max(marks))
    return [min(seen[:count])[1] for count in marks]


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'digits.json'), encoding='utf8') as file:
    table = json.load(file)
if __name__ == '__main__':
    path, chosen, names, first, count = sys.argv[1], *(text.split(',') for text in sys.argv[2:4]), *map(int, sys.argv[4:6])
    out = {'versions': {package: version(package) for package in ('optuna', 'cmaes', 'rustuna')}, 'regrets': {}}
    if os.path.exists(path):
        with open(path, encoding='utf8') as file:
            out['regrets'] = json.load(file)['regrets']
    for seed in range(first, first + count):
        for problem in (problem for problem in problems if problem.__name__ in chosen):
            for name in names:
                known = out['regrets'].setdefault(problem.__name__, {}).setdefault(name, {})
                if str(seed) in known:
                    continue
                known[str(seed)] = search(problem, name, seed)
                with open(path + '.part', 'w', encoding='utf8') as file:
                    json.dump(out, file)
                os.replace(path + '.part', path)
