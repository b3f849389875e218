// Prints the GFLOP/s of bare multiply-adds that so many threads reach together: the median, as other work may come
// between. Argument: threads (1).
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "peak.h"

int main(int count, char** arguments) {
  const size_t threads = count > 1 ? std::max(1ul, std::strtoul(arguments[1], nullptr, 10)) : 1;
  std::vector<double> rates = bench::peaks(threads, 15);
  std::sort(rates.begin(), rates.end());
  std::printf("%.2f\n", rates[rates.size() / 2]);
}
