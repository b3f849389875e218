# What the rivals in Python share. Arguments: number of the net, work, examples in a batch, milliseconds to measure, mode.
import json
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(folder, '..', 'lib'))
from bunches import microseconds_of

number, work, batch = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
milliseconds, mode = float(sys.argv[4]), sys.argv[5]
with open(os.path.join(folder, 'nets.json'), encoding='utf8') as file:
    widths = json.load(file)[number]['widths']
threads = int(os.environ['OMP_NUM_THREADS'])
members = 8


def report(version, bunch):
    print(json.dumps({'microseconds': microseconds_of(bunch, milliseconds), 'version': version}))
