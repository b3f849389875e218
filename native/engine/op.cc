#include "op.h"

#include <limits>

#include "partition.h"

namespace gradus {

const Shape& NodeReader::only_input() const {
  if (inputs.size() != 1 || input_is_index[0]) fields.fail("inputs: expected one, of real numbers");
  return input_shapes[0];
}

// An extent of 0 in `shape` stands for any.
std::optional<size_t> NodeReader::optional_parameter(const std::string& role, const Shape& shape) const {
  const Value* roles = fields.find("parameters");
  if (!roles) return std::nullopt;
  const Fields numbers(*roles, fields.place() + ": parameters");
  if (!numbers.find(role)) return std::nullopt;
  const size_t number = numbers.count(role);
  if (number >= parameters->size()) numbers.fail(role + ": there is no parameter " + std::to_string(number));
  const Shape& found = (*parameters)[number].shape;
  bool fits = found.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] == 0 || shape[i] == found[i];
  if (!fits) numbers.fail(role + ": expected shape " + to_string(shape) + ", received " + to_string(found));
  return number;
}

size_t NodeReader::parameter(const std::string& role, const Shape& shape) const {
  const std::optional<size_t> number = optional_parameter(role, shape);
  if (!number) fields.fail("parameters: expected a " + role);
  return *number;
}

namespace {
// Less work than this many multiply-adds is done before a second thread has begun.
constexpr size_t matmul_worth_sharing = size_t(1) << 19;
}  // namespace

template <class T>
void Pass<T>::matmul(const Matmul<T>& task) {
  const size_t threads = task.m * task.n * task.k < matmul_worth_sharing ? 1 : std::min<size_t>(pool->threads(), 64);
  if (threads == 1) return kernels->matmul(task, workspaces[0].data());
  std::array<bool, 64> nonfinite{};
  pool->parallel(threads, [&](size_t piece, size_t thread) {
    Matmul<T> part = piece_of(task, threads, piece);
    if (part.nonfinite) part.nonfinite = &nonfinite[piece];
    if (part.m > 0 && part.n > 0) kernels->matmul(part, workspaces[thread].data());
  });
  if (task.nonfinite)
    for (bool found : nonfinite) *task.nonfinite |= found;
}

namespace {
// Smaller gradients are still in some cache when the update comes.
constexpr size_t elements_worth_deferring = size_t(1) << 20;

// The largest magnitude, infinite if one is not finite.
template <class T>
double largest(const T* x, size_t n) {
  T most = 0, zero = 0;
  for (size_t i = 0; i < n; ++i) {
    const T size = std::fabs(x[i]);
    most = size > most ? size : most;
    zero += size * 0;  // NaN once an element is not finite
  }
  return zero == 0 ? double(most) : HUGE_VAL;
}

// Whether no element of a product can overflow, whatever it is: so that an update may begin before all of it is known.
template <class T>
bool is_bounded(const Matmul<T>& task) {
  const double bound = double(task.k) * largest(task.a, task.m * task.k) * largest(task.b, task.k * task.n);
  return bound < double(std::numeric_limits<T>::max()) / 2;
}
}  // namespace

template <class T>
void Pass<T>::weight_gradient(size_t parameter, Matmul<T> task) {
  ParameterState<T>& weight = parameters[parameter];
  task.c = weight.gradient;
  task.beta = mark(weight.written) ? 1 : 0;
  task.nonfinite = &weight.nonfinite;
  weight.watched = true;
  if (defers && weight.users == 1 && weight.size >= elements_worth_deferring && is_bounded(task))
    return deferred.push_back({parameter, task});
  matmul(task);
}

template <class T>
void Pass<T>::complete_deferred() {
  for (const DeferredGradient<T>& gradient : deferred) matmul(gradient.task);
  deferred.clear();
}

template <class T>
void Pass<T>::column_sums(const T* x, size_t rows, size_t columns, T beta, T* sums) {
  column_blocks(columns, rows,
                [&](size_t first, size_t n) { kernels->column_sums(x + first, rows, n, columns, beta, sums + first); });
}

template class Pass<float>;
template class Pass<double>;

}  // namespace gradus
