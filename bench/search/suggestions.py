# bench/.venv/bin/python bench/search/suggestions.py SAMPLER TRIALS ROUNDS: as suggestions.js, of the samplers of Optuna and
# Rustuna: milliseconds from asking for a trial to the last of its 8 parameters. The trials before are drawn at random.
import json, sys, time, warnings
import optuna, rustuna

warnings.filterwarnings('ignore')
optuna.logging.set_verbosity(optuna.logging.ERROR)
name, trials, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
make = {
    'rustuna': lambda: rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=1, n_startup_trials=trials)),
    'optuna-tpe': lambda: optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=trials)),
    'optuna-gp': lambda: optuna.create_study(sampler=optuna.samplers.GPSampler(seed=1, n_startup_trials=trials)),
}
study = make[name]()
bowl = lambda xs: sum((x - 0.3) ** 2 for x in xs)
drawn = lambda trial: [trial.suggest_float(f'x{i}', 0, 1) for i in range(8)]
study.optimize(lambda trial: bowl(drawn(trial)), n_trials=trials)
times = []
for _ in range(rounds):
    begun = time.perf_counter()
    trial = study.ask()
    xs = drawn(trial)
    times.append(1000 * (time.perf_counter() - begun))
    study.tell(trial if name.startswith('optuna') else trial.number, bowl(xs))
print(json.dumps(times))
