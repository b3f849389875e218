#include "step_memory.h"

#include <algorithm>
#include <cstring>

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

// What passes of models take beside their weights.
template <class T>
Counting count(const std::vector<const Model<T>*>& models, size_t examples, const Workspace<T>* workspaces,
               const TakeAllPasses<T>& take) {
  Counting memory;
  std::vector<Workspace<T>> counted;
  for (size_t m = 0; m < models.size(); ++m) {
    counted.emplace_back(memory);
    counted[m].gradients.arena = workspaces[m].gradients.arena.shared();
  }
  take(examples, counted.data());
  return memory;
}

// The most examples below `examples` that there is room for; 0: not for one.
template <class T>
size_t most_examples(const std::vector<const Model<T>*>& models, size_t examples, const Room& room,
                     const Workspace<T>* workspaces, const TakeAllPasses<T>& take) {
  const auto fits = [&](size_t examples) {
    size_t bytes = count(models, examples, workspaces, take).most_bytes(room.grain);
    for (const Model<T>* model : models) bytes += taken_on_the_way(*model, examples);
    return bytes + bytes / 16 <= room.free;
  };
  size_t fitting = 0;
  for (size_t beyond = examples; beyond - fitting > 1;) {
    const size_t middle = fitting + (beyond - fitting) / 2;
    (fits(middle) ? fitting : beyond) = middle;
  }
  return fitting;
}

std::string count_text(size_t count, const char* things) {
  return std::to_string(count) + ' ' + std::string(things, std::strlen(things) - (count == 1));
}

template <class T>
std::string room_text(const std::vector<const Model<T>*>& models, size_t examples, const Workspace<T>* workspaces,
                      const TakeAllPasses<T>& take) {
  const bool is_one = models.size() == 1;
  const size_t bytes = is_one ? step_memory(*models[0], examples) : count(models, examples, workspaces, take).bytes();
  const std::string text = (is_one ? ": a step of " : ": a pass of ") + count_text(examples, "examples") +
                           (is_one ? "" : " through " + count_text(models.size(), "members")) + " takes " +
                           std::to_string(bytes) + " bytes beside the weights; ";
  const std::optional<Room> room = workspaces->memory.room();
  if (!room) return text + "a smaller batchSize takes less";
  const size_t most = most_examples(models, examples, *room, workspaces, take);
  return text + (most > 0 ? "there is room for a batchSize of " + std::to_string(most)
                          : "there is no room for a batchSize of 1");
}
}  // namespace

template <class T>
void reserve_all_passes(const std::vector<const Model<T>*>& models, size_t examples, Workspace<T>* workspaces,
                        const TakeAllPasses<T>& take) {
  const auto forget = [&] {
    for (size_t m = 0; m < models.size(); ++m) workspaces[m].forget_passes();
  };
  // Buffers that grow are there twice for a moment: the second time they begin anew.
  try {
    return take(examples, workspaces);
  } catch (const Error& error) {
    if (!error.is("GRADUS_OUT_OF_MEMORY")) throw;
    forget();
  }
  try {
    take(examples, workspaces);
  } catch (const Error& error) {
    if (!error.is("GRADUS_OUT_OF_MEMORY")) throw;
    forget();
    throw Error(error.code, error.what() + room_text(models, examples, workspaces, take));
  }
}

template <class T>
void reserve_passes(const Model<T>& model, size_t examples, Workspace<T>& workspace, const TakePasses<T>& take) {
  reserve_all_passes<T>({&model}, examples, &workspace, [&](size_t rows, Workspace<T>* in) { take(rows, *in); });
}

template void reserve_passes<float>(const Model<float>&, size_t, Workspace<float>&, const TakePasses<float>&);
template void reserve_passes<double>(const Model<double>&, size_t, Workspace<double>&, const TakePasses<double>&);
template void reserve_all_passes<float>(const std::vector<const Model<float>*>&, size_t, Workspace<float>*,
                                        const TakeAllPasses<float>&);
template void reserve_all_passes<double>(const std::vector<const Model<double>*>&, size_t, Workspace<double>*,
                                         const TakeAllPasses<double>&);

}  // namespace gradus
