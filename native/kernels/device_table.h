// A device that lies in a library of its own, as the library's only function hands it over: plain functions and plain
// data, so that no C++ object crosses the border between what two compilers have made.
#pragma once
#include "kernels.h"

namespace gradus {

// What becomes of a call, or of a card that is asked about.
enum class DeviceState : int32_t {
  ready,
  no_driver,
  old_driver,     // it cannot run what the library was compiled to
  old_card,       // its capability is below the library's least one
  no_such_card,   // of this ordinal
  busy,           // another process holds the card for itself
  out_of_memory,  // nothing else has changed
  lost,           // an error that the process cannot use the device after
  not_made        // a kernel that this library does not have
};

struct DeviceInfo {
  DeviceState state = DeviceState::no_driver;
  char name[128] = {};             // of the card
  char driver[32] = {};            // its release, where it can be found out
  int32_t driver_supports = 0;     // the newest CUDA of the driver: 12020 for 12.2; 0 without a driver
  int32_t needs_support = 0;       // the one that the library needs
  int32_t needs_driver = 0;        // the first release of the driver with it: 580
  int32_t capability[2] = {0, 0};  // major and minor
  int32_t least_capability[2] = {0, 0};
  uint64_t memory = 0, free = 0;  // bytes
};

// What has become of the calls of a step.
struct StepCalls {
  uint32_t called = 0;       // how many there were; 0: each was called by itself
  bool is_replayed = false;  // as one, which was made of such calls before
  uint32_t told = 0;         // of them so many something else than at the time before
};

// Of a card's memory, in bytes: what all processes have not taken, and up to what multiple an allocation is rounded.
struct DeviceRoom {
  uint64_t memory = 0, free = 0, grain = 1;
};

// Everything queued on it runs in order. The device's own; programs have one each.
struct Queue;

// One update of all blocks, which lie in the device's memory, have these kinds, and whose sums are overwritten.
template <class T>
using BlocksUpdate = void (*)(UpdateRule rule, const Update<T>& common, const UpdateBlock<T>* blocks, size_t count,
                              unsigned kinds, UpdateSums* sums);

// What kernels read and write lies in the device's memory, and so do the numbers and flags that they take by reference.
// The structs that say what is to be done are the host's: they are read before a call returns. Kernels are queued on
// the queue that the calling thread has entered. None throws; what goes wrong is told by the next wait().
struct DeviceTable {
  uint32_t version;                                     // device_version
  const char* name;                                     // "cuda", "emulated"
  int32_t (*count)();                                   // of cards that are visible; 0 without a driver
  void (*describe)(int32_t ordinal, DeviceInfo* info);  // makes no context
  DeviceState (*open)(int32_t ordinal, Queue** queue);
  void (*close)(Queue* queue);
  void* (*allocate)(Queue* queue, size_t bytes);  // null: none left, and nothing has changed
  void (*release)(Queue* queue, void* memory);    // nothing that uses it is queued
  DeviceRoom (*room)(Queue* queue);
  void (*enter)(Queue* queue);  // for kernels that this thread calls
  // Kernels that are called from now on do nothing where by then *flag, of the device, is not 0; null: they do.
  void (*guard)(Queue* queue, const uint32_t* flag);
  void (*upload)(Queue* queue, void* to, const void* from, size_t bytes);    // `from` has been read when it returns
  void (*download)(Queue* queue, void* to, const void* from, size_t bytes);  // after all that was queued before
  void (*copy)(Queue* queue, void* to, const void* from, size_t bytes);      // both the device's
  void (*clear)(Queue* queue, void* memory, size_t bytes);
  DeviceState (*wait)(Queue* queue);  // for all; the first trouble since the last wait
  // What is called from begin_step() on runs after end_step(), or when it is waited for: so a device may keep the calls
  // of steps that are alike, and make them at once.
  void (*begin_step)(Queue* queue);
  StepCalls (*end_step)(Queue* queue);
  // From now on kernels are of this branch: those of branches 1, 2, … run after all that were called on branch 0, in
  // any order of branches, and those of branch 0 after all.
  void (*branch)(Queue* queue, uint32_t number);
  Kernels<float> float32;  // null: not made
  Kernels<double> float64;
  BlocksUpdate<float> update32;
  BlocksUpdate<double> update64;
};

// Of the kernels and of what they are told: a library of another version is refused.
constexpr uint32_t fold_text(const char* text, uint32_t fold) {
  for (; *text; ++text) fold = (fold ^ uint32_t(uint8_t(*text))) * 16777619u;
  return fold;
}
constexpr uint32_t fold_sizes(std::initializer_list<size_t> sizes, uint32_t fold) {
  for (size_t size : sizes) fold = (fold ^ uint32_t(size)) * 16777619u;
  return fold;
}
constexpr uint32_t device_version = fold_sizes({sizeof(Matmul<float>),
                                                sizeof(Convolution<float>),
                                                sizeof(ConvolutionWeights<float>),
                                                sizeof(Pooling<float>),
                                                sizeof(Framing<float>),
                                                sizeof(Upsampling<float>),
                                                sizeof(GroupNormTangent<float>),
                                                sizeof(ImageChange),
                                                sizeof(ImageConversion<float>),
                                                sizeof(Mixing<float>),
                                                sizeof(Loss<float>),
                                                sizeof(Metric<float>),
                                                sizeof(Examples),
                                                sizeof(Norm<float>),
                                                sizeof(NormTangent<float>),
                                                sizeof(Update<float>),
                                                sizeof(UpdateBlock<float>),
                                                sizeof(UpdateSums),
                                                sizeof(Moments),
                                                sizeof(Combination<float>),
                                                sizeof(Evidence),
                                                sizeof(Verdict),
                                                sizeof(DeviceInfo),
                                                sizeof(StepCalls),
                                                sizeof(DeviceRoom),
                                                sizeof(DeviceTable)},
                                               fold_text(
#define KERNEL(name, arguments, ...) #name #arguments
#include "kernels.def"
#undef KERNEL
                                                   , 2166136261u));

// The one function that a library of a device exports, "gradus_device". Null: it has no such version; then, and only
// then, `*own` is the version that it has.
using DeviceFunction = const DeviceTable* (*)(uint32_t version, uint32_t* own);

}  // namespace gradus
