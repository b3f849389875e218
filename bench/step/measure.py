# What the rivals in Python share. Arguments: number of the net, work, milliseconds to measure, mode.
import json
import os
import statistics
import sys
import time

number, work, milliseconds, mode = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
with open(os.path.join(os.path.dirname(__file__), 'nets.json'), encoding='utf8') as file:
    net = json.load(file)[number]
widths, batch = net['widths'], net['batch']
threads = int(os.environ['OMP_NUM_THREADS'])


def report(version, bunch):
    """Prints microseconds a step: the median of bunches of 20 ms. bunch(count) does so many steps and waits for them."""

    def time_of(count):
        begin = time.perf_counter()
        bunch(count)
        return (time.perf_counter() - begin) / count

    def times(milliseconds, count):
        found = []
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end or len(found) < 3:
            found.append(time_of(count))
        return found

    time_of(3)  # compiles
    count = max(1, int(0.02 / statistics.median(times(milliseconds / 4, 1))))
    print(json.dumps({'microseconds': 1e6 * statistics.median(times(milliseconds, count)), 'version': version}))
