// Norms of groups of channels against plain loops in double; gradients and tangents against central differences.
#include "images.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Sizes {
  size_t batch, pixels, channels, groups;
  size_t elements() const { return batch * pixels * channels; }
};
const Sizes cases[] = {{3, 12, 8, 1}, {2, 7, 6, 3}, {1, 1, 4, 2}, {2, 70, 33, 11}, {2, 150, 48, 3}, {3, 5, 17, 17}};
constexpr double epsilon = 1e-3;

// All that goes in, by numbers of any type.
template <class T>
struct Inputs {
  std::vector<T> x, gain, bias, dy;
  Inputs(const Sizes& of, unsigned seed)
      : x(numbers<T>(of.elements(), seed, seed == 1 ? 3 : 0, 2)),
        gain(numbers<T>(of.channels, seed + 1, seed == 1 ? 1 : 0, 0.3)),
        bias(numbers<T>(of.channels, seed + 2)),
        dy(numbers<T>(of.elements(), seed + 3)) {}
  void move(const Inputs& along, T step) {
    const auto add = [&](std::vector<T>& to, const std::vector<T>& by) {
      for (size_t i = 0; i < to.size(); ++i) to[i] += step * by[i];
    };
    add(x, along.x), add(gain, along.gain), add(bias, along.bias), add(dy, along.dy);
  }
};

std::vector<double> plain_forward(const Sizes& of, const Inputs<double>& in) {
  std::vector<double> y(of.elements());
  const size_t wide = of.channels / of.groups;
  for (size_t n = 0; n < of.batch; ++n)
    for (size_t group = 0; group < of.groups; ++group) {
      std::vector<size_t> places;
      for (size_t pixel = 0; pixel < of.pixels; ++pixel)
        for (size_t c = group * wide; c < (group + 1) * wide; ++c)
          places.push_back((n * of.pixels + pixel) * of.channels + c);
      double mean = 0, variance = 0;
      for (size_t i : places) mean += in.x[i] / double(places.size());
      for (size_t i : places) variance += (in.x[i] - mean) * (in.x[i] - mean) / double(places.size());
      for (size_t i : places)
        y[i] = (in.x[i] - mean) / std::sqrt(variance + epsilon) * in.gain[i % of.channels] + in.bias[i % of.channels];
    }
  return y;
}

template <class T>
struct Results {
  std::vector<T> y, dx, dgain, dbias, mean, inverse;
};
template <class T>
GroupNorm<T> norm_of(const Sizes& of, const Inputs<T>& in, Results<T>& to, std::vector<T> (&work)[2]) {
  GroupNorm<T> norm;
  norm.batch = of.batch, norm.pixels = of.pixels, norm.channels = of.channels, norm.groups = of.groups;
  norm.x = in.x.data(), norm.gain = in.gain.data(), norm.bias = in.bias.data(), norm.dy = in.dy.data();
  norm.epsilon = T(epsilon), norm.lines = of.batch * of.groups;
  for (std::vector<T>* of_elements : {&to.y, &to.dx}) of_elements->assign(of.elements(), T(-7));
  for (std::vector<T>* of_groups : {&to.mean, &to.inverse, &work[0], &work[1]})
    of_groups->assign(of.batch * of.groups, T(-7));
  for (std::vector<T>* of_channels : {&to.dgain, &to.dbias}) of_channels->assign(of.batch * of.channels, T(-7));
  norm.y = to.y.data(), norm.dx = to.dx.data(), norm.dgain = to.dgain.data(), norm.dbias = to.dbias.data();
  norm.mean = to.mean.data(), norm.inverse_deviation = to.inverse.data();
  norm.mean_dy = work[0].data(), norm.along = work[1].data();
  return norm;
}
template <class T>
Results<T> run(const Kernels<T>& kernels, const Sizes& of, const Inputs<T>& in, size_t at_once = SIZE_MAX) {
  Results<T> found;
  std::vector<T> work[2];
  const GroupNorm<T> norm = norm_of(of, in, found, work);
  for (size_t line = 0; line < norm.lines; line += std::min(at_once, norm.lines - line)) {
    const GroupNorm<T> part = norm.part(line, std::min(at_once, norm.lines - line));
    kernels.group_norm_forward(part), kernels.group_norm_backward(part);
  }
  // Of all examples.
  for (std::vector<T>* sums : {&found.dgain, &found.dbias}) {
    for (size_t i = of.channels; i < sums->size(); ++i) (*sums)[i % of.channels] += (*sums)[i];
    sums->resize(of.channels);
  }
  return found;
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
template <class T>
double farthest(const std::vector<T>& a, const std::vector<double>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::fmax(worst, std::fabs(double(a[i]) - b[i]));
  return worst;
}
// The derivative of f(inputs) along each element of one of them.
template <class F>
std::vector<double> slopes(Inputs<double> in, std::vector<double> Inputs<double>::*of, F f) {
  std::vector<double> found;
  for (double& element : in.*of) {
    const double kept = element, step = 1e-5;
    element = kept + step;
    const double above = f(in);
    element = kept - step;
    found.push_back((above - f(in)) / (2 * step));
    element = kept;
  }
  return found;
}

}  // namespace

TEST("norms of groups are those of plain loops, and their gradients those of differences") {
  for (const Sizes& of : cases) {
    Scope scope(std::to_string(of.channels) + " channels in " + std::to_string(of.groups));
    for_both_types([&](const Isa& isa, auto type) {
      using T = decltype(type);
      const Inputs<T> in(of, 1);
      Inputs<double> wide(of, 1);
      wide.x.assign(in.x.begin(), in.x.end()), wide.gain.assign(in.gain.begin(), in.gain.end());
      wide.bias.assign(in.bias.begin(), in.bias.end()), wide.dy.assign(in.dy.begin(), in.dy.end());
      const Results<T> found = run(kernels_of<T>(isa), of, in);
      const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
      CHECK_NEAR(farthest(found.y, plain_forward(of, wide)), 0, 4 * tolerance);
      if (of.elements() > 300) return;  // the differences take long
      const auto loss = [&](const Inputs<double>& at) { return inner(plain_forward(of, at), wide.dy); };
      const double near = sizeof(T) == 4 ? 1e-4 : 1e-7;
      CHECK_NEAR(farthest(found.dx, slopes(wide, &Inputs<double>::x, loss)), 0, near);
      CHECK_NEAR(farthest(found.dgain, slopes(wide, &Inputs<double>::gain, loss)), 0, near);
      CHECK_NEAR(farthest(found.dbias, slopes(wide, &Inputs<double>::bias, loss)), 0, near);
    });
  }
}

TEST("norms of groups have the same bits on every ISA, and example by example") {
  for (const Sizes& of : cases) {
    const Inputs<float> in(of, 1);
    const Results<float> expected = run(available_isas()[0]->float32, of, in);
    for_each_isa([&](const Isa& isa) {
      const Results<float> found = run(isa.float32, of, in, 1);
      CHECK(same_bits(found.y, expected.y));
      CHECK(same_bits(found.dx, expected.dx));
      CHECK(same_bits(found.dgain, expected.dgain));
      CHECK(same_bits(found.dbias, expected.dbias));
    });
  }
}

TEST("how a norm of groups and its gradient move is what differences say") {
  for (const Sizes& of : cases) {
    Scope scope(std::to_string(of.channels) + " channels in " + std::to_string(of.groups));
    const Inputs<double> in(of, 1), along(of, 21);
    for_each_isa([&](const Isa& isa) {
      const double step = 1e-6;
      Inputs<double> above = in, below = in;
      above.move(along, step), below.move(along, -step);
      const Results<double> there = run(isa.float64, of, above), here = run(isa.float64, of, below);
      const auto difference = [&](std::vector<double> Results<double>::*part) {
        std::vector<double> slopes = there.*part;
        for (size_t i = 0; i < slopes.size(); ++i) slopes[i] = (slopes[i] - (here.*part)[i]) / (2 * step);
        return slopes;
      };
      Results<double> at;
      std::vector<double> work[2], y_tangent(of.elements()), dx_tangent(of.elements());
      std::vector<double> dgain_tangent(of.channels), dbias_tangent(of.channels);
      GroupNormTangent<double> tangent;
      tangent.norm = norm_of(of, in, at, work);
      isa.float64.group_norm_forward(tangent.norm);
      tangent.x_tangent = along.x.data(), tangent.gain_tangent = along.gain.data();
      tangent.bias_tangent = along.bias.data(), tangent.dy_tangent = along.dy.data();
      tangent.y_tangent = y_tangent.data(), tangent.dx_tangent = dx_tangent.data();
      tangent.dgain_tangent = dgain_tangent.data(), tangent.dbias_tangent = dbias_tangent.data();
      isa.float64.group_norm_forward_tangent(tangent);
      isa.float64.group_norm_backward_tangent(tangent);
      CHECK_NEAR(farthest(y_tangent, difference(&Results<double>::y)), 0, 1e-6);
      CHECK_NEAR(farthest(dx_tangent, difference(&Results<double>::dx)), 0, 1e-6);
      CHECK_NEAR(farthest(dgain_tangent, difference(&Results<double>::dgain)), 0, 1e-5);
      CHECK_NEAR(farthest(dbias_tangent, difference(&Results<double>::dbias)), 0, 1e-5);
    });
  }
}
