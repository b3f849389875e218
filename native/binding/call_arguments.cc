#include "call_arguments.h"

#include <algorithm>

#include "dataset.h"
#include "value.h"

namespace gradus::binding {
namespace {

constexpr uint64_t most_threads = 1024;

std::shared_ptr<const gradus::Dataset> dataset(const Napi::Object& call) {
  return Dataset::from(call.Get("dataset"), "dataset").data();
}

uint64_t count(const Napi::Object& call, const char* name) { return whole_number(call.Get(name), name, 1); }

size_t threads(const Napi::Object& call) { return thread_count(call.Get("threads")); }

double optional_positive(const Napi::Object& call, const char* name) {
  const Napi::Value value = call.Get(name);
  if (value.IsUndefined()) return 0;
  const double number = finite_number(value, name);
  if (number <= 0) invalid(name, "a positive number", value);
  return number;
}

std::vector<double> optional_doubles(const Napi::Object& call, const char* name) {
  const Napi::Value value = call.Get(name);
  return value.IsUndefined() ? std::vector<double>() : copy_of_doubles(value, name);
}

// Whatever numbers an earlier call gave, or none.
std::vector<double> metric_sums(const Napi::Object& call) {
  const Napi::Value value = call.Get("metricSums");
  return value.IsUndefined() ? std::vector<double>() : copy_of_any_doubles(value, "metricSums");
}

// One value an update, none below zero.
void check_schedule(const std::vector<double>& values, size_t batches, const char* name, Napi::Value value) {
  if (values.size() != batches) invalid(name, "a Float64Array of length " + std::to_string(batches), value);
  for (const double x : values)
    if (x < 0) invalid(name, "numbers from 0 up", Napi::Number::New(value.Env(), x));
}

Link link_of(Napi::Value value) {
  if (value.IsUndefined()) return Link::identity;
  const std::string name = text(value, "link");
  if (name != "softmax" && name != "sigmoid") invalid("link", "softmax or sigmoid", value);
  return name == "softmax" ? Link::softmax : Link::sigmoid;
}

}  // namespace

size_t thread_count(Napi::Value value) {
  const uint64_t threads = whole_number(value, "threads", 1);
  if (threads > most_threads) invalid("threads", "at most " + std::to_string(most_threads), value);
  return threads;
}

TrainCall train_call(Napi::Value value) {
  const Napi::Object from = object(value, "call");
  TrainCall call;
  call.data = dataset(from);
  call.shuffle = truth(from.Get("shuffle"), "shuffle");
  call.epoch = whole_number(from.Get("epoch"), "epoch");
  const Napi::Value first_row = from.Get("firstRow");
  call.first_row = whole_number(first_row, "firstRow");
  if (call.first_row > call.data->size())
    invalid("firstRow", "at most the " + std::to_string(call.data->size()) + " rows there are", first_row);
  call.batch_size = count(from, "batchSize");
  call.batches = count(from, "batches");
  if (!from.Get("accumulate").IsUndefined()) call.accumulate = count(from, "accumulate");
  const Napi::Value rates = from.Get("learningRates"), momenta = from.Get("momenta");
  call.learning_rates = copy_of_doubles(rates, "learningRates");
  check_schedule(call.learning_rates, call.batches, "learningRates", rates);
  if (!momenta.IsUndefined()) {
    call.momenta = copy_of_doubles(momenta, "momenta");
    check_schedule(call.momenta, call.batches, "momenta", momenta);
  }
  const Napi::Value decays = from.Get("weightDecays");
  if (!decays.IsUndefined()) {
    call.weight_decays = copy_of_doubles(decays, "weightDecays");
    check_schedule(call.weight_decays, call.batches, "weightDecays", decays);
  }
  const Napi::Value averages = from.Get("averageDecays");
  if (!averages.IsUndefined()) {
    call.average_decays = copy_of_doubles(averages, "averageDecays");
    check_schedule(call.average_decays, call.batches, "averageDecays", averages);
    for (const double keep : call.average_decays)
      if (keep > 1) invalid("averageDecays", "numbers from 0 to 1", Napi::Number::New(from.Env(), keep));
  }
  call.clip_norm = optional_positive(from, "clipNorm");
  call.clip_value = optional_positive(from, "clipValue");
  call.class_weights = optional_doubles(from, "classWeights");
  if (!from.Get("augment").IsUndefined())
    call.augmentation = std::make_shared<Augmentation>(to_value(from.Get("augment"), "augment"));
  if (!from.Get("epochRow").IsUndefined()) call.epoch_row = whole_number(from.Get("epochRow"), "epochRow");
  call.metric_sums = metric_sums(from);
  if (!from.Get("maxRefused").IsUndefined()) call.max_refused = count(from, "maxRefused");
  const Napi::Value statistics = from.Get("tensorStatistics");
  if (!statistics.IsUndefined()) call.tensor_statistics = truth(statistics, "tensorStatistics");
  const Napi::Value every = from.Get("inspectEvery"), histograms = from.Get("inspectHistograms");
  if (!every.IsUndefined()) call.inspect_every = whole_number(every, "inspectEvery");
  if (!histograms.IsUndefined()) call.inspect_histograms = truth(histograms, "inspectHistograms");
  call.threads = threads(from);
  return call;
}

AverageCall average_call(Napi::Value value) {
  const Napi::Object from = object(value, "call");
  return {share(from.Get("keep"), "keep"), threads(from)};
}

EvaluateCall predict_call(Napi::Value value) {
  const Napi::Object from = object(value, "call");
  EvaluateCall call;
  call.data = dataset(from);
  call.threads = threads(from);
  call.batch_size = count(from, "batchSize");
  call.link = link_of(from.Get("link"));
  if (!from.Get("averaged").IsUndefined()) call.averaged = truth(from.Get("averaged"), "averaged");
  if (!from.Get("mirrored").IsUndefined()) call.mirrored = truth(from.Get("mirrored"), "mirrored");
  return call;
}

EvaluateCall evaluate_call(Napi::Value value) {
  EvaluateCall call = predict_call(value);
  const Napi::Object from = object(value, "call");
  call.class_weights = optional_doubles(from, "classWeights");
  call.metric_sums = metric_sums(from);
  return call;
}

StatisticsCall statistics_call(Napi::Value value) {
  const Napi::Object from = object(value, "call");
  StatisticsCall call;
  call.data = dataset(from);
  call.threads = threads(from);
  call.batch_size = count(from, "batchSize");
  return call;
}

GradientCall pass_call(Napi::Value value) {
  const Napi::Object from = object(value, "call");
  GradientCall call;
  call.data = dataset(from);
  call.threads = threads(from);
  call.training = truth(from.Get("training"), "training");
  call.randomness = truth(from.Get("randomness"), "randomness");
  return call;
}

GradientCall gradient_call(Napi::Value value) {
  GradientCall call = pass_call(value);
  const Napi::Object from = object(value, "call");
  const Napi::Value term = from.Get("term");
  const std::string name = text(term, "term");
  if (name != "data" && name != "regularization" && name != "total")
    invalid("term", "data, regularization or total", term);
  call.term = name == "data" ? Term::data : name == "total" ? Term::total : Term::regularization;
  return call;
}

HessianCall hessian_call(Napi::Value value) {
  HessianCall call{gradient_call(value), {}};
  call.vector = copy_of_doubles(object(value, "call").Get("vector"), "vector");
  return call;
}

ProbeCall probe_call(Napi::Value value) {
  const GradientCall pass = pass_call(value);
  const Napi::Object from = object(value, "call");
  ProbeCall call;
  call.data = pass.data, call.threads = pass.threads;
  call.training = pass.training, call.randomness = pass.randomness;
  call.direction = optional_doubles(from, "direction");
  const std::vector<double> offsets = copy_of_doubles(from.Get("offsets"), "offsets");
  const auto numbers = [&](const char* name) {
    const Napi::Value value = from.Get(name);
    std::vector<double> numbers = copy_of_doubles(value, name);
    if (numbers.size() != offsets.size())
      invalid(name, "a Float64Array of length " + std::to_string(offsets.size()), value);
    for (double number : numbers) whole_number(Napi::Number::New(value.Env(), number), name);
    return numbers;
  };
  const std::vector<double> tensors = numbers("tensors"), elements = numbers("elements");
  for (size_t i = 0; i < offsets.size(); ++i)
    call.points.push_back({size_t(tensors[i]), size_t(elements[i]), offsets[i]});
  return call;
}

double share(Napi::Value value, const char* name) {
  const double number = finite_number(value, name);
  if (number < 0 || number > 1) invalid(name, "a number from 0 to 1", value);
  return number;
}
namespace {
template <class To>
void convert(const Elements& from, To* to) {
  if (from.type == napi_float64_array) {
    std::copy_n(static_cast<const double*>(from.data), from.length, to);
  } else {
    std::copy_n(static_cast<const float*>(from.data), from.length, to);
  }
}

}  // namespace

std::vector<uint8_t> numbers_of(Napi::Value value, const std::string& name, size_t size, bool is_double) {
  const std::string expected = "a Float32Array or a Float64Array of length " + std::to_string(size);
  const Elements from = elements(value, name.c_str(), expected.c_str());
  const bool is_float = from.type == napi_float32_array || from.type == napi_float64_array;
  if (!is_float || from.length != size) invalid(name, expected, value);
  std::vector<uint8_t> numbers(size * (is_double ? sizeof(double) : sizeof(float)));
  if (is_double)
    convert(from, reinterpret_cast<double*>(numbers.data()));
  else
    convert(from, reinterpret_cast<float*>(numbers.data()));
  return numbers;
}

uint64_t step_number(Napi::Value value, const char* name) {
  const uint64_t step = whole_number(value, name);
  if (step > largest_step) invalid(name, "at most " + std::to_string(largest_step), value);
  return step;
}

}  // namespace gradus::binding
