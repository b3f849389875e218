#include "step_memory.h"

#include <algorithm>

namespace gradus {
namespace {

// Gives none, and counts what it was asked for.
class Counting final : public Memory {
 public:
  size_t bytes() const { return bytes_; }
  // As much as it may be where each is rounded up to grains.
  size_t most_bytes(size_t grain) const { return bytes_ + product(grain - 1, allocations_); }

  bool is_host() const override { return true; }
  std::shared_ptr<uint8_t> allocate(size_t bytes) override {
    if (bytes > SIZE_MAX / 2 - bytes_) throw Error("GRADUS_TOO_LARGE", "a step's memory overflows");
    bytes_ += bytes;
    ++allocations_;
    return nullptr;
  }
  void upload(void*, const void*, size_t) override {}
  void download(void*, const void*, size_t) override {}
  void copy(void*, const void*, size_t) override {}
  void clear(void*, size_t) override {}
  void guard(const uint32_t*) override {}
  void wait() override {}

 private:
  size_t bytes_ = 0, allocations_ = 0;
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

namespace {
// What passes take while they run is not known before: where a node's value is taken twice its gradient waits for the
// other, running statistics wait for the update, and looks at layers leave sums.
template <class T>
size_t taken_on_the_way(const Model<T>& model, size_t examples) {
  size_t largest = 0, statistics = 0;
  for (const Node& node : model.layout().nodes) largest = std::max(largest, node.size);
  for (const ParameterInfo& info : model.parameters()) statistics += info.is_statistic ? info.size : 0;
  return product(product(examples, largest) + statistics, sizeof(T));
}

// The most examples below `examples` that there is room for; 0: not for one.
template <class T>
size_t most_examples(const Model<T>& model, size_t examples, const Room& room, const Workspace<T>& workspace,
                     const TakePasses<T>& take) {
  const auto fits = [&](size_t count) {
    Counting memory;
    Workspace<T> counted(memory);
    counted.gradients.arena = workspace.gradients.arena.shared();
    take(count, counted);
    const size_t bytes = memory.most_bytes(room.grain) + taken_on_the_way(model, count);
    return bytes + bytes / 16 <= room.free;
  };
  size_t fitting = 0;
  for (size_t beyond = examples; beyond - fitting > 1;) {
    const size_t middle = fitting + (beyond - fitting) / 2;
    (fits(middle) ? fitting : beyond) = middle;
  }
  return fitting;
}

std::string examples_text(size_t count) { return std::to_string(count) + (count == 1 ? " example" : " examples"); }

template <class T>
std::string room_text(const Model<T>& model, size_t examples, const Workspace<T>& workspace,
                      const TakePasses<T>& take) {
  const std::string text = ": a step of " + examples_text(examples) + " takes " +
                           std::to_string(step_memory(model, examples)) + " bytes beside the weights; ";
  const std::optional<Room> room = workspace.memory.room();
  if (!room) return text + "a smaller batchSize takes less";
  const size_t most = most_examples(model, examples, *room, workspace, take);
  return text + (most > 0 ? "there is room for a batchSize of " + std::to_string(most)
                          : "there is no room for a batchSize of 1");
}
}  // namespace

template <class T>
void reserve_passes(const Model<T>& model, size_t examples, Workspace<T>& workspace, const TakePasses<T>& take) {
  // Buffers that grow are there twice for a moment: the second time they begin anew.
  try {
    return take(examples, workspace);
  } catch (const Error& error) {
    if (!error.is("GRADUS_OUT_OF_MEMORY")) throw;
    workspace.forget_passes();
  }
  try {
    take(examples, workspace);
  } catch (const Error& error) {
    if (!error.is("GRADUS_OUT_OF_MEMORY")) throw;
    workspace.forget_passes();
    throw Error(error.code, error.what() + room_text(model, examples, workspace, take));
  }
}

template void reserve_passes<float>(const Model<float>&, size_t, Workspace<float>&, const TakePasses<float>&);
template void reserve_passes<double>(const Model<double>&, size_t, Workspace<double>&, const TakePasses<double>&);

}  // namespace gradus
