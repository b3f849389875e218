// Steps that come again are replayed as one, whatever of them is told anew; how they were called shows nowhere.
#include "steps.h"

using namespace gradus;
using namespace gradus::test;

namespace {

std::vector<float> all(size_t n, float value) { return std::vector<float>(n, value); }

void check(const StepCalls& calls, uint32_t called, bool is_replayed, uint32_t told) {
  CHECK_EQ(calls.called, called);
  CHECK_EQ(calls.is_replayed, is_replayed);
  CHECK_EQ(calls.told, told);
}

}  // namespace

TEST("a step that comes again is replayed, and told what differs alone") {
  in_each_order([] {
    OpenDevice device;
    SmallSteps steps(device, 300);
    float expected = 1;
    const auto make = [&](float factor) {
      expected *= 4 * factor + 1;
      return steps.make(factor);
    };
    check(make(0.25f), SmallSteps::calls, false, 0);  // not seen before
    check(make(0.5f), SmallSteps::calls, false, 0);   // becomes a graph
    for (float factor : {0.75f, 1.0f, 0.25f}) check(make(factor), SmallSteps::calls, true, 1);
    check(make(0.25f), SmallSteps::calls, true, 0);
    CHECK(steps.x() == all(300, expected));
    check(make(0.5f), SmallSteps::calls, true, 1);
    CHECK(steps.x() == all(300, expected));
  });
}

TEST("who waits in the middle of a step finds what was called, and the step is called one by one") {
  OpenDevice device;
  SmallSteps steps(device, 70);
  float expected = 1;
  for (int i = 0; i < 6; ++i) {
    const bool waits = i % 2 == 1;
    const StepCalls calls = steps.make(0.25f, [&] {
      if (waits) CHECK(steps.y() == all(70, expected / 2));
    });
    expected *= 2;
    CHECK_EQ(calls.called, waits ? 0 : SmallSteps::calls);
    CHECK(steps.x() == all(70, expected));
  }
}

TEST("steps of other sizes in between, more than are kept, change nothing") {
  OpenDevice device;
  std::vector<std::unique_ptr<SmallSteps>> sizes;
  for (size_t i = 0; i < 12; ++i) sizes.push_back(std::make_unique<SmallSteps>(device, 40 + 4000 * i));
  const auto turn = [&](size_t count, size_t times, bool is_replayed) {
    for (size_t time = 0; time < times; ++time)
      for (size_t i = 0; i < count; ++i) CHECK_EQ(sizes[i]->make(0.25f).is_replayed, is_replayed && time > 1);
  };
  turn(12, 3, false);  // each has gone when it comes again
  for (size_t i = 0; i < 12; ++i) CHECK(sizes[i]->x() == all(40 + 4000 * i, 8));
  turn(3, 5, true);
  for (size_t i = 0; i < 3; ++i) CHECK(sizes[i]->x() == all(40 + 4000 * i, 256));
}

TEST("a replayed step follows its memory, and a guard that was raised since it was made") {
  OpenDevice device;
  SmallSteps steps(device, 33);
  uint32_t* const flag = device.given(std::vector<uint32_t>{0});
  for (int i = 0; i < 3; ++i) steps.make(0.25f);
  steps.move();
  const StepCalls moved = steps.make(0.25f);
  CHECK(moved.is_replayed && moved.told == 4);  // all that read or write x or z
  CHECK(steps.x() == all(33, 16));
  device_table().guard(device.queue(), flag);
  const StepCalls guarded = steps.make(0.25f);
  CHECK(guarded.is_replayed && guarded.told == 4);  // all kernels
  CHECK(steps.x() == all(33, 32));
  const uint32_t raised = 1;
  device.upload(flag, &raised, sizeof raised);
  CHECK(steps.make(0.25f).is_replayed);
  CHECK(steps.x() == all(33, 32));
  device_table().guard(device.queue(), nullptr);
}

TEST("where GRADUS_CUDA_GRAPHS is 0 each call is made by itself") {
  setenv("GRADUS_CUDA_GRAPHS", "0", 1);
  OpenDevice device;
  unsetenv("GRADUS_CUDA_GRAPHS");
  SmallSteps steps(device, 20);
  for (int i = 0; i < 4; ++i) check(steps.make(0.25f), 0, false, 0);
  CHECK(steps.x() == all(20, 16));
}
