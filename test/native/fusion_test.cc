// What ops do for each other changes no number: a net is trained with and without it.
#include <algorithm>

#include "engine/cpu_device.h"
#include "engine/train.h"
#include "engine_models.h"
#include "test.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// Convolutions of images of whole blocks of rows and of others, norms with each kind of activation above them and pools
// of windows that overlap and that do not.
std::shared_ptr<const Plan> plan_with(const std::string& activation, bool pools_apart) {
  test::Model model("float32");
  const Value::Object ones{{"initializer", object({{"kind", text("constant")}, {"value", number(1)}})}};
  const auto parameter = [&](const std::string& role, size_t from, std::vector<size_t> shape, bool trainable = true) {
    return model.parameter(role + std::to_string(from), shape, role == "variance" ? ones : Value::Object(), trainable);
  };
  const auto windows = [](std::vector<size_t> stride, std::vector<size_t> padding) {
    return Value::Object{{"stride", numbers(stride)}, {"padding", numbers(padding)}};
  };
  const auto convolution = [&](size_t from, size_t channels, size_t filters) {
    Value::Object fields = windows({1, 1}, {1, 1, 1, 1});
    fields["dilation"] = numbers({1, 1}), fields["groups"] = number(1);
    return model.node("convolution", {from}, fields,
                      {{"weight", parameter("weight", from, {3, 3, channels, filters})}});
  };
  const auto norm = [&](size_t from, size_t channels) {
    return model.node("batch_norm", {from}, {{"epsilon", number(1e-3)}, {"momentum", number(0.9)}},
                      {{"gain", parameter("gain", from, {channels})},
                       {"bias", parameter("bias", from, {channels})},
                       {"mean", parameter("mean", from, {channels}, false)},
                       {"variance", parameter("variance", from, {channels}, false)}});
  };
  size_t at = model.input({16, 16, 3});
  at = model.activation(norm(convolution(at, 3, 17), 17), activation);
  Value::Object pool = windows({2, 2}, {0, 0, 0, 0});
  pool["kernel"] = pools_apart ? numbers({2, 2}) : numbers({3, 3});
  at = model.node("max_pool", {at}, pool);
  at = model.activation(norm(convolution(at, 17, 20), 20), activation);
  at = model.activation(convolution(at, 20, 9), "tanh");
  pool["kernel"] = pool["stride"] = numbers({7, 7});
  at = model.node("max_pool", {at}, pool);
  model.dense(model.activation(norm(model.node("reshape", {at}, {{"shape", numbers({9})}}), 9), activation), 9, 4);
  model.loss = kind("softmax_cross_entropy");
  model.optimizer = {{"kind", text("nesterov")}, {"momentum", number(0.9)}};
  return std::make_shared<const Plan>(decode(model.descriptor()));
}

std::vector<float> trained(const std::shared_ptr<const Plan>& plan, Fusion fusion, size_t batch, size_t threads) {
  constexpr size_t batches = 3;
  const gradus::Model<float> model(plan, fusion);
  Pool pool(threads);
  const Pool::Share share(pool, threads);
  const CpuDevice<float> device(best_isa(), share);
  State<float> state(model, device);
  Workspace<float> workspace;
  const Optimizer<float> optimizer(model.plan(), best_isa());
  const Inspection<float> inspection(model);
  auto data = std::make_shared<Dataset>(batch * batches, std::vector<Column>{column(DataType::float64, {16, 16, 3})},
                                        std::vector<Column>{column(DataType::int32, {})}, std::vector<Column>{});
  std::vector<double> x(batch * batches * 768);
  std::vector<int32_t> labels(batch * batches);
  for (size_t i = 0; i < x.size(); ++i) x[i] = noise(3, i);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = int32_t(i % 4);
  data->write(Dataset::Role::input, 0, 0, x.data(), x.size());
  data->write(Dataset::Role::target, 0, 0, labels.data(), labels.size());
  const std::atomic<bool> stop{false};
  TrainResult result;
  train(Context<float>{model, state, workspace, device, nullptr}, optimizer, inspection,
        call_of(data, batch, batches, threads, 0.001), stop, result);
  CHECK_EQ(result.updates, batches);
  return {state.parameters(), state.parameters() + plan->arena_size};
}

}  // namespace

TEST("a net is trained to the same weights and statistics whether its ops are joined or not") {
  Sample sample(5);
  for (const char* activation : {"relu", "gelu", "leaky_relu", "tanh"})
    for (bool pools_apart : {true, false})
      for (size_t batch : {2, 17}) {
        if (!sample.has_next()) continue;
        Scope scope(std::string(activation) + ", batches of " + std::to_string(batch));
        const auto plan = plan_with(activation, pools_apart);
        const std::vector<float> expected = trained(plan, Fusion::none, batch, 1);
        CHECK(expected == trained(plan, Fusion::allowed, batch, 1));
        CHECK(expected == trained(plan, Fusion::allowed, batch, 3));
      }
}
