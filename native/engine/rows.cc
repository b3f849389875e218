#include "rows.h"

namespace gradus {

template <class T>
Rows<T>::Rows(const Model<T>& model, const RowsCall& call) : model_(model), call_(call) {
  const std::vector<InputPlan>& inputs = model.plan().inputs;
  const auto mismatch = [](const std::string& what, size_t expected, const char* of_what, size_t received) {
    throw Error("GRADUS_SHAPE_MISMATCH",
                what + ": expected " + std::to_string(expected) + of_what + ", received " + std::to_string(received));
  };
  if (call.inputs.size() != inputs.size()) mismatch("inputs", inputs.size(), " of them", call.inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const size_t length = product(call.rows, model.layout().nodes[i].size);
    if (call.inputs[i].length != length) mismatch(inputs[i].name, length, " numbers", call.inputs[i].length);
    if (inputs[i].index) check_numbers(i);
  }
}

template <class T>
void Rows<T>::check_numbers(size_t input) const {
  const RowsCall::Column& column = call_.inputs[input];
  const std::string& name = model_.plan().inputs[input].name;
  if (column.type != DataType::int32)
    throw Error("GRADUS_SHAPE_MISMATCH", name + ": expected an int32 column, received another type");
  const auto* numbers = static_cast<const int32_t*>(column.data);
  const size_t limit = model_.vocabulary(input);
  for (size_t i = 0; i < column.length; ++i)
    if (numbers[i] < 0 || size_t(numbers[i]) >= limit)
      throw Error("GRADUS_INVALID_ARGUMENT", name + ": expected numbers from 0 to " + std::to_string(limit - 1) +
                                                 ", received " + std::to_string(numbers[i]));
}

// Of the input that takes most: one after the other is brought there.
template <class T>
void Rows<T>::reserve(size_t rows, Workspace<T>& in) const {
  for (size_t i = 0; !in.memory.is_host() && i < call_.inputs.size(); ++i)
    in.batch.rows.grow(product(rows, model_.layout().nodes[i].size * size_of(call_.inputs[i].type)), in.memory);
}

// To where the device can read them: those of the pass alone.
template <class T>
void Rows<T>::bring(Examples& examples, Pass<T>& pass) {
  const size_t bytes = examples.elements * size_of(examples.type);
  Buffer<uint8_t>& rows = pass.workspace.batch.rows;
  rows.grow(product(pass.batch, bytes), pass.workspace.memory);
  pass.workspace.memory.upload(rows.data(), examples.data + examples.first * bytes, pass.batch * bytes);
  examples.data = rows.data();
  examples.first = 0;
}

template <class T>
void Rows<T>::gather(size_t first, Pass<T>& pass) const {
  for (size_t i = 0; i < call_.inputs.size(); ++i) {
    const RowsCall::Column& column = call_.inputs[i];
    Examples examples;
    examples.data = static_cast<const uint8_t*>(column.data);
    examples.type = column.type;
    examples.elements = model_.layout().nodes[i].size;
    examples.scale = column.scale, examples.offset = column.offset;
    if (!column.scales.empty())
      examples.scales = column.scales.data(), examples.offsets = column.offsets.data(),
      examples.period = column.scales.size();
    examples.first = first;
    if (!pass.workspace.memory.is_host()) bring(examples, pass);
    gather_input(model_, i, examples, pass);
  }
}

template class Rows<float>;
template class Rows<double>;

}  // namespace gradus
