// Pools against plain loops in double: winners, ties, NaN, every edge; on every instruction set, cut in every way.
#include "images.h"

#include "engine/cpu_device.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct PoolCase {
  size_t batch, channels;
  AxisCase height, width;
  bool counts_padding = false;
  std::string text() const {
    ConvolutionShape shape = shape_of(batch, height, width, channels, channels);
    return text_of(shape) + (counts_padding ? ", with its padding" : "");
  }
};
template <class T>
Pooling<T> task_of(const PoolCase& of) {
  Pooling<T> task;
  task.batch = of.batch, task.channels = of.channels;
  task.height = axis_of(of.height), task.width = axis_of(of.width);
  task.counts_padding = of.counts_padding;
  return task;
}

// body(at in x, at in y, number of the pixel in the window) for all that lies in the image, window after window.
template <class T, class F>
void for_each_pooled(const Pooling<T>& s, F body) {
  for (size_t n = 0; n < s.batch; ++n)
    for (size_t i = 0; i < s.height.output; ++i)
      for (size_t j = 0; j < s.width.output; ++j)
        for (size_t p = 0; p < s.height.kernel; ++p)
          for (size_t q = 0; q < s.width.kernel; ++q) {
            const long row = long(i * s.height.stride + p) - long(s.height.padding);
            const long column = long(j * s.width.stride + q) - long(s.width.padding);
            if (row < 0 || row >= long(s.height.input) || column < 0 || column >= long(s.width.input)) continue;
            for (size_t c = 0; c < s.channels; ++c)
              body(((n * s.height.input + size_t(row)) * s.width.input + size_t(column)) * s.channels + c,
                   ((n * s.height.output + i) * s.width.output + j) * s.channels + c, p * s.width.kernel + q);
          }
}

template <class T>
struct Maxima {
  std::vector<T> y, dx, gathered;
  std::vector<uint8_t> winners;
};
template <class T>
bool same_bits(const Maxima<T>& a, const Maxima<T>& b) {
  return test::same_bits(a.y, b.y) && test::same_bits(a.dx, b.dx) && test::same_bits(a.gathered, b.gathered) &&
         a.winners == b.winners;
}

// In each window the first that nothing after it exceeds; a NaN is above all numbers.
template <class T>
Maxima<T> plain_maxima(const Pooling<T>& s, const std::vector<T>& x, const std::vector<T>& dy) {
  Maxima<T> found;
  found.y.resize(dy.size()), found.winners.resize(dy.size()), found.gathered.resize(dy.size());
  found.dx.resize(x.size());
  std::vector<size_t> from(dy.size(), SIZE_MAX);
  for_each_pooled(s, [&](size_t at_x, size_t at_y, size_t pixel) {
    const bool is_above =
        from[at_y] == SIZE_MAX || x[at_x] > x[from[at_y]] || (x[at_x] != x[at_x] && x[from[at_y]] == x[from[at_y]]);
    if (is_above) from[at_y] = at_x, found.winners[at_y] = uint8_t(pixel);
  });
  for (size_t i = 0; i < dy.size(); ++i) {
    found.y[i] = x[from[i]], found.gathered[i] = 3 * T(from[i]) + 1;
    found.dx[from[i]] += dy[i];
  }
  return found;
}

template <class T>
Maxima<T> run_maxima(const Kernels<T>& kernels, Pooling<T> task, const std::vector<T>& x, const std::vector<T>& dy,
                     size_t at_once) {
  Marked<T> y(dy.size()), dx(x.size()), gathered(dy.size());
  std::vector<T> places(x.size());
  for (size_t i = 0; i < x.size(); ++i) places[i] = 3 * T(i) + 1;
  Maxima<T> found;
  found.winners.assign(dy.size() + 8, 77);
  task.winners = found.winners.data();
  task.input = x.data(), task.output = y.data(), task.rows = task.batch * task.height.output;
  in_rows(task, at_once, kernels.max_pool_forward);
  task.input = places.data(), task.output = gathered.data();
  in_rows(task, at_once, kernels.max_pool_gather);
  task.input = dy.data(), task.output = dx.data(), task.rows = task.batch * task.height.input;
  in_rows(task, at_once, kernels.max_pool_backward);
  for (Marked<T>* memory : {&y, &dx, &gathered}) CHECK(memory->is_guarded());
  for (size_t i = dy.size(); i < found.winners.size(); ++i) CHECK(found.winners[i] == 77);
  found.winners.resize(dy.size());
  found.y = y.values(), found.dx = dx.values(), found.gathered = gathered.values();
  return found;
}

template <class T>
size_t inputs_of(const Pooling<T>& s) {
  return s.batch * s.height.input * s.width.input * s.channels;
}
template <class T>
size_t outputs_of(const Pooling<T>& s) {
  return s.batch * s.height.output * s.width.output * s.channels;
}

// Few different numbers, all below 0, so that there are ties and padding would win; here and there none.
template <class T>
std::vector<T> tied(size_t n, unsigned seed, bool with_nan) {
  std::mt19937 random(seed);
  std::vector<T> values(n);
  for (T& value : values) value = -T(1 + random() % 5);
  for (size_t i = 0; with_nan && i < n; i += 1 + random() % 9) values[i] = nan<T>();
  if (n > 2) values[n / 2] = -std::numeric_limits<T>::infinity();
  return values;
}

template <class F>
void for_cases(F body) {
  std::mt19937 random(5);
  const size_t sizes[] = {1, 2, 3, 8, 15, 16, 17, 31, 33, 64, 65};
  for (size_t i = 0; i < (is_quick() ? 12 : 120); ++i) {
    const PoolCase of{1 + random() % 3, sizes[random() % 11], drawn_axis(random), drawn_axis(random),
                      random() % 2 == 0};
    Scope scope(of.text());
    body(of);
  }
  for (const PoolCase& of :
       {PoolCase{2, 17, {16, 16, 16}, {16, 16, 16}}, PoolCase{1, 3, {1, 1}, {256, 256}},
        PoolCase{2, 9, {8, 2, 2}, {8, 2, 2}}, PoolCase{1, 1, {1, 3, 1, 1, 1, 1}, {1, 3, 2, 1, 1, 1}}}) {
    Scope scope(of.text());
    body(of);
  }
}

}  // namespace

TEST("maxima, their winners and both ways back are those of plain loops: all below 0, ties, NaN, every edge") {
  for_cases([](const PoolCase& of) {
    for_both_types([&](const Isa& isa, auto type) {
      using T = decltype(type);
      const Pooling<T> task = task_of<T>(of);
      for (bool with_nan : {false, true}) {
        const std::vector<T> x = tied<T>(inputs_of(task), 3, with_nan);
        std::vector<T> dy(outputs_of(task));
        for (size_t i = 0; i < dy.size(); ++i) dy[i] = T(int(i % 9) - 4);
        const Maxima<T> expected = plain_maxima(task, x, dy);
        for (size_t at_once : {SIZE_MAX, size_t(1), size_t(3)}) {
          const Maxima<T> found = run_maxima(kernels_of<T>(isa), task, x, dy, at_once);
          CHECK(are_same(found.y, expected.y));
          CHECK(found.winners == expected.winners);
          CHECK(are_same(found.dx, expected.dx));
          CHECK(are_same(found.gathered, expected.gathered));
        }
      }
    });
  });
}

TEST("on their way back maxima multiply by the slope of an activation, of which they are outputs") {
  for_cases([](const PoolCase& of) {
    for_both_types([&](const Isa& isa, auto type) {
      using T = decltype(type);
      Pooling<T> task = task_of<T>(of);
      std::vector<T> x = numbers<T>(inputs_of(task), 3), dy(outputs_of(task)), y(dy.size());
      for (size_t i = 0; i < dy.size(); ++i) dy[i] = T(int(i % 9) - 4);
      std::vector<uint8_t> winners(dy.size());
      task.winners = winners.data(), task.input = x.data(), task.output = y.data();
      task.rows = task.batch * task.height.output;
      kernels_of<T>(isa).max_pool_forward(task);
      for (Activation kind : {Activation::relu, Activation::leaky_relu}) {
        std::vector<T> gated = dy, found(x.size());
        for (size_t i = 0; i < dy.size(); ++i)
          if (!(y[i] > 0)) gated[i] *= kind == Activation::relu ? T(0) : T(0.5);
        const Maxima<T> expected = plain_maxima(task, x, gated);
        Pooling<T> back = task;
        back.gate = y.data(), back.gate_kind = kind, back.gate_parameter = T(0.5);
        back.input = dy.data(), back.output = found.data(), back.rows = task.batch * task.height.input;
        in_rows(back, 2, kernels_of<T>(isa).max_pool_backward);
        CHECK(are_same(found, expected.dx));
      }
    });
  });
}

TEST("averages count what lies in the image, or the padding too; of integers the sums are exact") {
  for_cases([](const PoolCase& of) {
    for_both_types([&](const Isa& isa, auto type) {
      using T = decltype(type);
      Pooling<T> task = task_of<T>(of);
      std::vector<T> x(inputs_of(task)), dy(outputs_of(task));
      for (size_t i = 0; i < x.size(); ++i) x[i] = T(int(i * 7 % 19) - 9);
      for (size_t i = 0; i < dy.size(); ++i) dy[i] = T(int(i * 5 % 17) - 8);
      std::vector<double> sums(dy.size()), counts(dy.size()), dx(x.size()), sizes(x.size());
      for_each_pooled(task, [&](size_t at_x, size_t at_y, size_t) { sums[at_y] += double(x[at_x]), ++counts[at_y]; });
      if (of.counts_padding) counts.assign(counts.size(), double(of.height.kernel * of.width.kernel));
      for_each_pooled(task, [&](size_t at_x, size_t at_y, size_t) {
        dx[at_x] += double(dy[at_y]) / counts[at_y], sizes[at_x] += std::fabs(double(dy[at_y])) / counts[at_y];
      });
      for (size_t at_once : {SIZE_MAX, size_t(1)}) {
        Marked<T> y(dy.size()), back(x.size());
        task.input = x.data(), task.output = y.data(), task.rows = task.batch * task.height.output;
        in_rows(task, at_once, kernels_of<T>(isa).average_pool_forward);
        task.input = dy.data(), task.output = back.data(), task.rows = task.batch * task.height.input;
        in_rows(task, at_once, kernels_of<T>(isa).average_pool_backward);
        CHECK(y.is_guarded() && back.is_guarded());
        const std::vector<T> averages = y.values(), back_values = back.values();
        bool exact = true;
        for (size_t i = 0; i < dy.size(); ++i) exact = exact && averages[i] == T(sums[i]) / T(counts[i]);
        CHECK(exact);
        double worst = 0;
        for (size_t i = 0; i < x.size(); ++i) {
          const double unit = double(std::numeric_limits<T>::epsilon()) / 2 * sizes[i];
          const double error = std::fabs(double(back_values[i]) - dx[i]);
          worst = std::fmax(worst, error == 0 ? 0 : error / unit);
        }
        CHECK_NEAR(worst, 0, 30);
      }
    });
  });
}

TEST("pools have the same bits on every ISA, cut for 1, 2, 3 and 5 threads") {
  const PoolCase of{7, 65, {33, 3, 2, 1, 1, 1}, {30, 3, 1, 1, 1, 0}};
  const Pooling<float> shape = task_of<float>(of);
  const std::vector<float> x = numbers<float>(inputs_of(shape), 1), dy = numbers<float>(outputs_of(shape), 2);
  Pool pool(8);
  const auto all = [&](const Device<float>& device) {
    std::vector<std::vector<float>> results(4, std::vector<float>(x.size()));
    std::vector<uint8_t> winners(dy.size());
    Pooling<float> task = shape;
    task.winners = winners.data();
    const auto run = [&](bool back, std::vector<float>& to, auto kernel) {
      task.input = (back ? dy : x).data(), task.output = to.data();
      task.rows = task.batch * (back ? task.height.input : task.height.output);
      (device.*kernel)(task);
    };
    run(false, results[0], &Device<float>::max_pool_forward), run(true, results[1], &Device<float>::max_pool_backward);
    run(false, results[2], &Device<float>::average_pool_forward);
    run(true, results[3], &Device<float>::average_pool_backward);
    return results;
  };
  const auto expected = all(CpuDevice<float>(*available_isas()[0], Pool::Share(pool, 1)));
  for_each_isa([&](const Isa& isa) {
    for (size_t threads : {1, 2, 3, 5}) {
      const Pool::Share share(pool, threads);
      const auto found = all(CpuDevice<float>(isa, share));
      for (size_t i = 0; i < found.size(); ++i) CHECK(test::same_bits(found[i], expected[i]));
    }
  });
}
