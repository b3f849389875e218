# How the rivals in Python are timed.
import statistics
import time


def microseconds_of(bunch, milliseconds):
    """Of a step: the median of bunches of 20 ms. bunch(count) does so many steps and waits for them."""

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
    return 1e6 * statistics.median(times(milliseconds, count))
