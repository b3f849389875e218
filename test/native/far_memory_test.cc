// What is said on a device of its own that has no room, or has failed; and that all goes on afterwards.
#include <functional>

#include "engine/ensemble.h"
#include "far_device.h"
#include "image_models.h"
#include "recorded_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {
void check_no_complaint() { CHECK_EQ(std::string(far_complaint()), std::string()); }

// The batch that a refused call is said to have room for; SIZE_MAX: it is not refused.
size_t room_told(const std::function<void(size_t)>& call, size_t rows, const std::string& of = "") {
  try {
    call(rows);
  } catch (const Error& error) {
    CHECK_EQ(std::string(error.code), std::string("GRADUS_OUT_OF_MEMORY"));
    const std::string message = error.what(), before = "there is room for a batchSize of ";
    CHECK(message.find(of) != std::string::npos);
    const size_t at = message.find(before);
    return at == std::string::npos ? size_t(0) : std::stoul(message.substr(at + before.size()));
  }
  return SIZE_MAX;
}
}  // namespace

TEST("what does not fit there is refused, nothing has changed, and a smaller batch then works") {
  const auto program = classifier("float32").program(open_far());
  const auto data = noisy_data(4096, 20, 5, 5), few = noisy_data(8, 20, 5, 5);
  program->train(call_of(few, 4, 2));
  const auto before = state_of(*program);
  leave_far_memory(size_t(1) << 20);
  std::string code, message;
  try {
    program->train(call_of(data, 4096, 1));
  } catch (const Error& error) {
    code = error.code, message = error.what();
  }
  CHECK_EQ(code, std::string("GRADUS_OUT_OF_MEMORY"));
  CHECK(message.find("far card has no memory for ") == 0);
  CHECK(state_of(*program) == before);
  CHECK_EQ(program->train(call_of(few, 4, 2)).updates, size_t(2));
  leave_far_memory(SIZE_MAX / 2);
}

TEST("there of a batch that does not fit it is told how large one may be; that one does, and one twice as large not") {
  const auto check = [&](const gradus::test::Model& model, std::shared_ptr<Dataset> data, size_t left) {
    std::shared_ptr<Program> program;
    const std::function<void(size_t)> calls[] = {[&](size_t rows) { program->train(call_of(data, rows, 1)); },
                                                 [&](size_t rows) {
                                                   program->evaluate({data, rows, 1, {}, {}});
                                                 },
                                                 [&](size_t rows) {
                                                   std::vector<uint8_t> out(data->size() * program->output_size() * 8);
                                                   program->predict({data, rows, 1, {}, {}, Link::softmax}, out.data());
                                                 }};
    for (const auto& call : calls) {
      program = model.program(open_far());
      program->train(call_of(data, 2, 1));
      leave_far_memory(left);
      const size_t told = room_told(call, data->size());
      Scope scope(std::to_string(told) + " examples");
      CHECK(told > 1 && told < data->size());
      CHECK_EQ(room_told(call, 2 * told) == SIZE_MAX, false);
      CHECK_EQ(room_told(call, told), SIZE_MAX);
    }
    leave_far_memory(SIZE_MAX / 2);
  };
  for (const std::string dtype : {"float32", "float64"}) {
    Scope scope(dtype);
    check(classifier(dtype), noisy_data(4096, 20, 5, 5, true), size_t(1) << 20);
    check(normed(dtype), noisy_data(2048, 20, 5, 5), size_t(5) << 20);
    check(imaged(dtype), noisy_data(512, 72, 5, 5), size_t(2) << 20);
  }
  check_no_complaint();
}

TEST("there of a batch that does not fit members that predict as one are told the same, and go on with a smaller one") {
  const auto data = noisy_data(4096, 20, 5, 5, true);
  for (const std::string dtype : {"float32", "float64"}) {
    Ensemble::Members members;
    for (size_t hidden : {40, 24, 31}) members.push_back(classifier(dtype, hidden).program(open_far()));
    std::vector<uint8_t> out(data->size() * 5 * 8), spread(out);
    std::shared_ptr<Ensemble> ensemble;
    const std::function<void(size_t)> calls[] = {
        [&](size_t rows) {
          ensemble->evaluate(members, {data, rows, 1, {}, {}});
        },
        [&](size_t rows) {
          ensemble->predict(members, {data, rows, 1, {}, {}, Link::softmax}, out.data(), spread.data());
        }};
    for (const auto& call : calls) {
      ensemble = Ensemble::create(members, {{0.5, 0.2, 0.3}}, best_isa(), shared_pool());
      call(64);
      leave_far_memory(size_t(1) << 20);
      const size_t told = room_told(call, data->size(), ": a pass of 4096 examples through 3 members takes ");
      Scope scope(dtype + ", " + std::to_string(told) + " examples");
      CHECK(told > 64 && told < data->size());
      CHECK_EQ(room_told(call, 2 * told) == SIZE_MAX, false);
      CHECK_EQ(room_told(call, told), SIZE_MAX);
      leave_far_memory(SIZE_MAX / 2);
    }
  }
  check_no_complaint();
}

TEST("where there is no room for one example that is told, with what all of it is taken by") {
  const auto program = classifier("float32").program(open_far());
  const auto data = noisy_data(8, 20, 5, 5);
  leave_far_memory(0);
  std::string message;
  try {
    program->train(call_of(data, 4, 2));
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.find("of its 17179869184 bytes 0 are free, this process has taken ") != std::string::npos);
  CHECK(message.find(": the data, which lie there whole") != std::string::npos);
  leave_far_memory(4 * 4096);
  try {
    program->train(call_of(data, 4, 2));
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.find("; there is no room for a batchSize of 1") != std::string::npos);
  leave_far_memory(SIZE_MAX / 2);
  CHECK_EQ(program->train(call_of(data, 4, 2)).updates, size_t(2));
}

TEST("a device that is lost says so at each call, and programs of the processor go on") {
  const auto there = classifier("float32").program(open_far()), here = classifier("float32").program();
  const auto data = noisy_data(8, 20, 5, 5);
  there->train(call_of(data, 4, 2));
  break_far_device(DeviceState::lost);
  const auto said = [&] {
    try {
      there->train(call_of(data, 4, 2));
    } catch (const Error& error) {
      return std::string(error.code) + " " + error.what();
    }
    return std::string();
  };
  const std::string lost = "GRADUS_DEVICE_LOST the device far:0 has failed: restart the process to use the GPU again";
  CHECK_EQ(said(), lost + "; it failed after step 2");
  break_far_device(DeviceState::ready);
  CHECK_EQ(said(), lost + "; it failed after step 2");
  CHECK_EQ(here->train(call_of(data, 4, 2)).updates, size_t(2));
}
