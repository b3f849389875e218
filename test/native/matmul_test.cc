// matmul against an exact product of small integers and against float64, on every instruction set, cut in every way.
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "engine/partition.h"
#include "matrices.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// op(A) (m, k) and op(B) (k, n), each stored as it is or transposed.
template <class T>
struct Problem {
  bool a_transposed, b_transposed;
  Matrix<T> a, b, c;
  Matmul<T> task;
  Problem(size_t m, size_t n, size_t k, int transposes, size_t gap = 3)
      : a_transposed(transposes & 1),
        b_transposed(transposes & 2),
        a(a_transposed ? k : m, a_transposed ? m : k, gap),
        b(b_transposed ? n : k, b_transposed ? k : n, gap),
        c(m, n, gap) {
    task.m = m, task.n = n, task.k = k;
    task.a = a.data(), task.b = b.data(), task.c = c.data(), task.c_row = c.stride;
    task.a_row = a_transposed ? 1 : a.stride, task.a_column = a_transposed ? a.stride : 1;
    task.b_row = b_transposed ? 1 : b.stride, task.b_column = b_transposed ? b.stride : 1;
  }
  T a_at(size_t i, size_t p) { return task.a[i * task.a_row + p * task.a_column]; }
  T b_at(size_t p, size_t j) { return task.b[p * task.b_row + j * task.b_column]; }
};

template <class T>
T* workspace() {
  static std::vector<T> memory(matmul_workspace + 2 * guard, T(7));
  T* start = memory.data();
  while (reinterpret_cast<uintptr_t>(start) % 64) ++start;
  return start;
}

template <class T>
void fill(Problem<T>& problem) {
  Reals real;
  problem.a.fill([&] { return T(real()); });
  problem.b.fill([&] { return T(real()); });
  problem.c.fill([&] { return T(real()); });
}

// Every size of a 17³ grid, or of each second one of its lines.
template <class T>
void check_integers(const Isa& isa) {
  for (int transposes = 0; transposes < 4; ++transposes) {
    Integers integer;
    Problem<T> full(67, 67, 67, transposes);  // the smaller problems are its corners
    full.a.fill(integer), full.b.fill(integer);
    std::vector<long> sums(67 * 67);  // exact, over the k done so far
    size_t done = 0;
    const size_t stride = is_quick() ? 2 : 1;
    for (size_t ki = 0; ki < 17; ki += stride) {
      const size_t k = sizes[ki];
      for (; done < k; ++done)
        for (size_t i = 0; i < 67; ++i)
          for (size_t j = 0; j < 67; ++j) sums[i * 67 + j] += long(full.a_at(i, done)) * long(full.b_at(done, j));
      for (size_t mi = 0; mi < 17; mi += stride)
        for (size_t ni = 0; ni < 17; ni += stride) {
          const size_t m = sizes[mi], n = sizes[ni];
          Matrix<T> c(m, n);
          Matmul<T> task = full.task;
          task.m = m, task.n = n, task.k = k, task.c = c.data(), task.c_row = c.stride;
          kernels_of<T>(isa).matmul(task, workspace<T>());
          bool exact = c.guards_untouched();
          for (size_t i = 0; i < m; ++i)
            for (size_t j = 0; j < n; ++j) exact = exact && c.at(i, j) == T(sums[i * 67 + j]);
          if (!exact) {
            std::ostringstream where;
            where << "m " << m << " n " << n << " k " << k << " transposes " << transposes;
            Scope scope(where.str());
            CHECK(exact);
          } else {
            CHECK(exact);
          }
        }
    }
  }
}

// Against sums in a wider type, in units of the sum of the terms' sizes.
template <class T>
void check_reals(size_t m, size_t n, size_t k) {
  using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  for (int transposes = 0; transposes < 4; ++transposes) {
    Problem<T> problem(m, n, k, transposes);
    fill(problem);
    std::vector<Wide> sums(m * n), sizes(m * n);
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j)
        for (size_t p = 0; p < k; ++p) {
          const Wide product = Wide(problem.a_at(i, p)) * Wide(problem.b_at(p, j));
          sums[i * n + j] += product, sizes[i * n + j] += std::fabs(product);
        }
    for_each_isa([&](const Isa& isa) {
      kernels_of<T>(isa).matmul(problem.task, workspace<T>());
      CHECK(problem.c.guards_untouched());
      double worst = 0;  // error in units of u · Σ|ab|
      for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j) {
          const Wide unit = Wide(std::numeric_limits<T>::epsilon()) / 2, error = problem.c.at(i, j) - sums[i * n + j];
          worst = std::max(worst, double(std::fabs(error) / (unit * sizes[i * n + j])));
        }
      CHECK_NEAR(worst, 0, 8);
      problem.c.fill([] { return T(7); });  // so that the next one cannot find its result there
    });
  }
}

// All the options at once, so that every path of the tile's end runs.
template <class T>
struct Options {
  Problem<T> problem;
  Matrix<T> gate;
  std::vector<T> bias;
  bool nonfinite = false;
  Options(size_t m, size_t n, size_t k, int transposes, T alpha, T beta, Activation activation, Activation gate_kind)
      : problem(m, n, k, transposes), gate(m, n, 5), bias(n) {
    fill(problem);
    Reals real;
    for (T& element : bias) element = T(real());
    gate.fill([&] { return T(0.9 * std::tanh(real())); });
    Matmul<T>& task = problem.task;
    task.alpha = alpha, task.beta = beta, task.bias = bias.data();
    task.activation = activation, task.activation_parameter = T(0.5);
    task.gate = gate.data(), task.gate_row = gate.stride, task.gate_kind = gate_kind, task.gate_parameter = T(0.5);
    task.nonfinite = &nonfinite;
  }
};

template <class T>
std::vector<T> result(const Isa& isa, size_t m, size_t n, size_t k, int transposes, size_t pieces) {
  const bool even = transposes % 2 == 0;
  Options<T> options(m, n, k, transposes, T(0.75), even ? T(0.5) : T(0), even ? Activation::elu : Activation::relu,
                     even ? Activation::tanh : Activation::relu);
  for (size_t piece = 0; piece < pieces; ++piece)
    kernels_of<T>(isa).matmul(piece_of(options.problem.task, pieces, piece), workspace<T>());
  CHECK(options.problem.c.guards_untouched());
  CHECK(!options.nonfinite);
  return options.problem.c.memory;
}

template <class T>
void check_bits(size_t m, size_t n, size_t k) {
  const Isa* best = available_isas()[0];
  for (int transposes = 0; transposes < 4; ++transposes) {
    const std::vector<T> expected = result<T>(*best, m, n, k, transposes, 1);
    for_each_isa([&](const Isa& isa) { CHECK(same_bits(expected, result<T>(isa, m, n, k, transposes, 1))); });
    for (size_t pieces : is_quick() ? std::vector<size_t>{3} : std::vector<size_t>{2, 3, 4})
      CHECK(same_bits(expected, result<T>(*best, m, n, k, transposes, pieces)));
  }
}

}  // namespace

TEST("matmul of integers is exact in every transposition, guards untouched") {
  for_each_isa([](const Isa& isa) { check_integers<float>(isa), check_integers<double>(isa); });
}

TEST("matmul of reals is within 8 u sum |ab| of float64") {
  for (const auto& [m, n, k] : {std::array<size_t, 3>{33, 47, 64}, {1, 301, 700}, {15, 40, 700}, {70, 130, 1100}}) {
    check_reals<float>(m, n, k);
    // Where long doubles are computed by functions, the largest takes as long as all others.
    if (m < 70 || !is_quick()) check_reals<double>(m, n, k);
  }
}

TEST("matmul has the same bits on every instruction set and however it is cut") {
  for (const auto& [m, n, k] :
       {std::array<size_t, 3>{1, 1, 1}, {1, 301, 900}, {9, 70, 33}, {61, 10, 257}, {65, 193, 900}, {200, 300, 400}})
    if (m < 200 || !is_quick()) check_bits<float>(m, n, k), check_bits<double>(m, n, k);
}

TEST("a row multiplied alone has the bits that it has among others") {
  for_each_isa([](const Isa& isa) {
    Options<float> whole(18, 301, 900, 0, 0.75, 0.5, Activation::relu, Activation::relu);
    Options<float> rows = whole;
    kernels_of<float>(isa).matmul(whole.problem.task, workspace<float>());
    for (size_t i = 0; i < 18; ++i) {
      Matmul<float> task = whole.problem.task;
      task.m = 1, task.a += i * task.a_row, task.gate += i * task.gate_row;
      task.c = &rows.problem.c.at(i, 0);
      kernels_of<float>(isa).matmul(task, workspace<float>());
    }
    CHECK(same_bits(whole.problem.c.memory, rows.problem.c.memory));
  });
}

TEST("matmul applies alpha, beta, bias, activation and gate in this order") {
  // In registers and after the tile.
  for (const auto& [rectifies, m] : {std::pair<bool, size_t>{true, 18}, {false, 18}, {true, 1}, {false, 1}})
    for_each_isa([&, rectifies = rectifies, m = m](const Isa& isa) {
      for (size_t k : {size_t(0), size_t(5), size_t(801)}) {
        Options<double> options(m, 37, k, 0, 0.75, -0.5, rectifies ? Activation::relu : Activation::leaky_relu,
                                rectifies ? Activation::relu : Activation::tanh);
        Matrix<double> before = options.problem.c;
        kernels_of<double>(isa).matmul(options.problem.task, workspace<double>());
        for (size_t i = 0; i < m; ++i)
          for (size_t j = 0; j < 37; ++j) {
            double sum = 0;
            for (size_t p = 0; p < k; ++p) sum += options.problem.a_at(i, p) * options.problem.b_at(p, j);
            double expected = 0.75 * sum - 0.5 * before.at(i, j) + options.bias[j];
            if (expected < 0) expected *= rectifies ? 0 : 0.5;
            const double y = options.gate.at(i, j), slope = rectifies ? double(y > 0) : 1 - y * y;
            CHECK_NEAR(options.problem.c.at(i, j), expected * slope, 1e-11);
          }
      }
    });
}

TEST("a gate of the identity lets everything through") {
  for_each_isa([](const Isa& isa) {
    Options<float> gated(18, 37, 5, 0, 1, 0, Activation::relu, Activation::identity);
    Options<float> free(18, 37, 5, 0, 1, 0, Activation::relu, Activation::identity);
    free.problem.task.gate = nullptr;
    kernels_of<float>(isa).matmul(gated.problem.task, workspace<float>());
    kernels_of<float>(isa).matmul(free.problem.task, workspace<float>());
    CHECK(same_bits(gated.problem.c.memory, free.problem.c.memory));
  });
}

TEST("matmul with beta = 0 never reads C, and one of no rows, columns or inner size is well defined") {
  for_each_isa([](const Isa& isa) {
    Problem<float> problem(20, 40, 600, 0);
    fill(problem);
    problem.c.fill([] { return std::numeric_limits<float>::quiet_NaN(); });
    kernels_of<float>(isa).matmul(problem.task, workspace<float>());
    bool finite = true;
    for (size_t i = 0; i < 20; ++i)
      for (size_t j = 0; j < 40; ++j) finite = finite && std::isfinite(problem.c.at(i, j));
    CHECK(finite);
    for (size_t empty = 0; empty < 3; ++empty) {
      Problem<float> none(empty == 0 ? 0 : 5, empty == 1 ? 0 : 6, empty == 2 ? 0 : 7, 0);
      none.c.fill([] { return 3.0f; });
      kernels_of<float>(isa).matmul(none.task, workspace<float>());
      CHECK(none.c.guards_untouched());
      if (empty == 2) CHECK_EQ(none.c.at(4, 5), 0.0f);
    }
  });
}

TEST("matmul reports an element that is not finite, wherever it is") {
  for_each_isa([](const Isa& isa) {
    for (size_t bad : {size_t(0), size_t(16), size_t(36), size_t(17 * 40 + 36)}) {
      Problem<float> problem(18, 37, 5, 0);
      fill(problem);
      bool nonfinite = false;
      problem.task.nonfinite = &nonfinite;
      kernels_of<float>(isa).matmul(problem.task, workspace<float>());
      CHECK(!nonfinite);
      problem.task.beta = 1;
      problem.task.c[bad] = bad % 2 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
      kernels_of<float>(isa).matmul(problem.task, workspace<float>());
      CHECK(nonfinite);
    }
  });
}

TEST("matmul reports only what it writes: an infinite row that relu makes zero is finite at every width") {
  for_each_isa([](const Isa& isa) {
    for (size_t m : {1, 3, 29})
      for (size_t n : {1, 15, 17, 40, 129})
        for (int transposes = 0; transposes < 4; ++transposes)
          for (const Activation activation : {Activation::relu, Activation::identity}) {
            Problem<float> problem(m, n, 3, transposes);
            problem.a.fill([] { return -std::numeric_limits<float>::infinity(); });
            problem.b.fill([] { return 1.0f; });
            bool nonfinite = false;
            problem.task.activation = activation, problem.task.nonfinite = &nonfinite;
            kernels_of<float>(isa).matmul(problem.task, workspace<float>());
            CHECK_EQ(nonfinite, activation == Activation::identity);
          }
  });
}

TEST("pieces of a matmul cover C once, and none is larger than its share by more than a unit") {
  for (size_t m : {size_t(0), size_t(1), size_t(10), size_t(64), size_t(513)})
    for (size_t n : {size_t(0), size_t(1), size_t(10), size_t(64), size_t(1024)})
      for (size_t pieces = 1; pieces <= 5; ++pieces) {
        std::vector<int> covered(m * n);
        for (size_t piece = 0; piece < pieces; ++piece) {
          const Piece part = piece_of(m, n, pieces, piece);
          CHECK(part.rows * part.columns <= (m * n) / pieces + 32 * std::max(m, n));
          for (size_t i = part.row; i < part.row + part.rows; ++i)
            for (size_t j = part.column; j < part.column + part.columns; ++j) ++covered[i * n + j];
        }
        CHECK_EQ(std::count(covered.begin(), covered.end(), 1), std::ptrdiff_t(m * n));
      }
}
