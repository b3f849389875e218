// What keeps an update from being recorded once and replayed: kernels that are told something else at each.
#include <algorithm>
#include <set>

#include "far_device.h"
#include "recorded_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

using Calls = std::vector<FarCall>;
using Names = std::set<std::string>;

std::string joined(const Names& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

// The calls that are repeated: from behind one verdict to the next, an update's end and the next one's beginning.
std::vector<Calls> rounds_of(const Calls& calls) {
  std::vector<Calls> rounds(1);
  for (const FarCall& call : calls) {
    rounds.back().push_back(call);
    if (call.name == "judge") rounds.emplace_back();
  }
  rounds.erase(rounds.begin());  // with all that comes before updates
  rounds.pop_back();             // with all that comes after them
  return rounds;
}

// Which calls of successive updates of one size differ, by name, or are none that a recording may hold.
Names changing(const gradus::test::Model& model, const TrainCall& call) {
  const auto program = model.program(open_far());
  far_calls().is_noted = true;
  const size_t updates = program->train(call).updates;
  far_calls().is_noted = false;
  const std::vector<Calls> rounds = rounds_of(far_calls().take());
  CHECK_EQ(updates, call.batches);
  CHECK_EQ(rounds.size(), call.batches - 1);
  const Calls &one = rounds.at(0), &next = rounds.at(1);
  CHECK_EQ(one.size(), next.size());
  Names names;
  for (size_t i = 0; i < std::min(one.size(), next.size()); ++i) {
    CHECK_EQ(one[i].name, next[i].name);
    const bool is_of_host = Names{"allocate", "upload", "download"}.count(next[i].name) > 0;
    if (is_of_host || one[i].bytes != next[i].bytes) names.insert(next[i].name);
  }
  return names;
}

// Updates that are all called before the host looks, with numbers that each has for itself.
TrainCall call_ahead(std::shared_ptr<Dataset> data) {
  TrainCall call = call_of(data, 4, 4);
  call.ahead = call.batches;
  for (size_t i = 0; i < call.batches; ++i) {
    call.learning_rates[i] = 0.01 / double(i + 1);
    call.momenta.push_back(0.5 + 0.1 * double(i));
    call.weight_decays.push_back(0.01 * double(i));
  }
  return call;
}

}  // namespace

TEST("known kernels are told something else at each update, and all others could be recorded") {
  if (!FarCalls::can_be_compared) return CHECK(true);
  const auto check = [](const std::string& what, const gradus::test::Model& model, const TrainCall& call,
                        const Names& expected) {
    Scope scope(what);
    CHECK_EQ(joined(changing(model, call)), joined(expected));
  };
  const auto plain = noisy_data(32, 20, 5, 5), weighted = noisy_data(32, 20, 5, 5, true);
  const Names of_all{"gather_examples", "gather_numbers", "judge"};
  const auto and_these = [&](Names more) {
    more.insert(of_all.begin(), of_all.end());
    return more;
  };
  check("a classifier", classifier("float32"), call_ahead(plain), and_these({"adam", "dropout"}));
  TrainCall accumulated = call_ahead(plain);
  accumulated.accumulate = 2;
  check("two batches an update", classifier("float32"), accumulated, and_these({"adam", "dropout"}));
  TrainCall clipped = call_ahead(weighted);
  clipped.clip_norm = 0.1, clipped.class_weights = {1, 2, 0.5, 1, 3};
  check("clipped, weighted", classifier("float64"), clipped,
        and_these({"adam", "dropout", "gather_weights", "gradient_norm", "softmax_cross_entropy"}));
  TrainCall averaged = call_ahead(weighted);
  averaged.average_decays = {0.9, 0.99, 0.999, 0.9};
  check("norms and averages", normed("float32"), averaged,
        and_these({"gather_weights", "move_average", "nesterov", "softmax_cross_entropy"}));
  check("an embedding", embedded("float32"), call_ahead(words()), {"adam", "gather_numbers", "judge"});
  gradus::test::Model shorter = classifier("float32"), muon = classifier("float32");
  shorter.optimizer["bfloat16"] = Value{true};
  check("bfloat16 slots", shorter, call_ahead(plain), and_these({"adam_bfloat16", "dropout"}));
  muon.optimizer["kind"] = text("muon"), muon.optimizer["matrixMomentum"] = number(0.95);
  muon.optimizer["adamMultiplier"] = number(0.5), muon.optimizer["orthogonalizationSteps"] = number(5);
  muon.optimizer["nesterov"] = Value{true};
  check("muon", muon, call_ahead(plain),
        and_these({"adam", "dropout", "final_gradient", "gradient_norm", "momentum_direction", "scale"}));
}
