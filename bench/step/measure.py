# What the rivals in Python share. Arguments: number of the net, work, milliseconds to measure, mode.
import json
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(folder, '..', 'lib'))
from bunches import microseconds_of

number, work, milliseconds, mode = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
with open(os.path.join(folder, 'nets.json'), encoding='utf8') as file:
    net = json.load(file)[number]
widths, batch = net['widths'], net['batch']
threads = int(os.environ['OMP_NUM_THREADS'])


def report(version, bunch):
    """Prints microseconds a step. bunch(count) does so many steps and waits for them."""
    print(json.dumps({'microseconds': microseconds_of(bunch, milliseconds), 'version': version}))
