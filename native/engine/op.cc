#include "op.h"

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

template <class T>
void Pass<T>::column_sums(const T* x, size_t rows, size_t columns, T beta, T* sums) {
  column_blocks(columns, rows,
                [&](size_t first, size_t n) { kernels->column_sums(x + first, rows, n, columns, beta, sums + first); });
}

template class Pass<float>;
template class Pass<double>;

}  // namespace gradus
