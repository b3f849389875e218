#include "step_memory.h"

#include <cstring>

namespace gradus {
namespace {

// Gives none, and counts what it was asked for.
class Counting final : public Memory {
 public:
  size_t bytes() const { return bytes_; }

  bool is_host() const override { return true; }
  std::shared_ptr<uint8_t> allocate(size_t bytes) override {
    if (bytes > SIZE_MAX / 2 - bytes_) throw Error("GRADUS_TOO_LARGE", "a step's memory overflows");
    bytes_ += bytes;
    return nullptr;
  }
  void upload(void*, const void*, size_t) override {}
  void download(void*, const void*, size_t) override {}
  void copy(void*, const void*, size_t) override {}
  void clear(void*, size_t) override {}
  void guard(const uint32_t*) override {}
  void wait() override {}

 private:
  size_t bytes_ = 0;
};

template <class T>
size_t step_memory(const Model<T>& model, size_t examples) {
  Counting memory;
  Workspace<T> workspace(memory);
  model.reserve(examples, workspace);
  return memory.bytes();
}

}  // namespace

size_t step_memory(const Value& descriptor, size_t examples) {
  const auto plan = std::make_shared<const Plan>(decode(descriptor));
  return plan->precision == Precision::float32 ? step_memory(Model<float>(plan), examples)
                                               : step_memory(Model<double>(plan), examples);
}

template <class T>
void reserve_step(const Model<T>& model, size_t examples, Workspace<T>& workspace) {
  try {
    model.reserve(examples, workspace);
  } catch (const Error& error) {
    if (std::strcmp(error.code, "GRADUS_OUT_OF_MEMORY") != 0) throw;
    throw Error(error.code, std::string(error.what()) + ": a step of " + std::to_string(examples) +
                                (examples == 1 ? " example" : " examples") + " takes " +
                                std::to_string(step_memory(model, examples)) +
                                " bytes beside the weights; a smaller batchSize takes less");
  }
}

template void reserve_step<float>(const Model<float>&, size_t, Workspace<float>&);
template void reserve_step<double>(const Model<double>&, size_t, Workspace<double>&);

}  // namespace gradus
