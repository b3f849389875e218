#include "results.h"

#include <algorithm>

namespace gradus::binding {
namespace {

constexpr uint64_t most_threads = 1024;

std::shared_ptr<const gradus::Dataset> dataset(const Napi::Object& call) {
  return Dataset::from(call.Get("dataset"), "dataset").data();
}

uint64_t count(const Napi::Object& call, const char* name) { return whole_number(call.Get(name), name, 1); }

size_t threads(const Napi::Object& call) {
  const Napi::Value value = call.Get("threads");
  const uint64_t threads = whole_number(value, "threads", 1);
  if (threads > most_threads) invalid("threads", "at most " + std::to_string(most_threads), value);
  return threads;
}

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

// One value an update, none below zero.
void check_schedule(const std::vector<double>& values, size_t batches, const char* name, Napi::Value value) {
  if (values.size() != batches) invalid(name, "a Float64Array of length " + std::to_string(batches), value);
  for (const double x : values)
    if (x < 0) invalid(name, "numbers from 0 up", Napi::Number::New(value.Env(), x));
}

template <class T, class Array>
Array copy_of(Napi::Env env, const std::vector<T>& from) {
  Array to = Array::New(env, from.size());
  std::copy(from.begin(), from.end(), to.Data());
  return to;
}
Napi::Float64Array doubles(Napi::Env env, const std::vector<double>& from) {
  return copy_of<double, Napi::Float64Array>(env, from);
}

}  // namespace

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
  call.clip_norm = optional_positive(from, "clipNorm");
  call.clip_value = optional_positive(from, "clipValue");
  call.class_weights = optional_doubles(from, "classWeights");
  if (!from.Get("maxRefused").IsUndefined()) call.max_refused = count(from, "maxRefused");
  const Napi::Value defers = from.Get("defers");
  if (!defers.IsUndefined()) call.defers = truth(defers, "defers");
  const Napi::Value statistics = from.Get("tensorStatistics");
  if (!statistics.IsUndefined()) call.tensor_statistics = truth(statistics, "tensorStatistics");
  const Napi::Value every = from.Get("inspectEvery"), histograms = from.Get("inspectHistograms");
  if (!every.IsUndefined()) call.inspect_every = whole_number(every, "inspectEvery");
  if (!histograms.IsUndefined()) call.inspect_histograms = truth(histograms, "inspectHistograms");
  call.threads = threads(from);
  return call;
}

BatchedCall batched_call(Napi::Value value, Pass pass) {
  const Napi::Object from = object(value, "call");
  BatchedCall call;
  call.data = dataset(from);
  call.threads = threads(from);
  call.batch_size = count(from, "batchSize");
  if (pass == Pass::evaluate) call.class_weights = optional_doubles(from, "classWeights");
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

namespace {
Napi::Value to_javascript(Napi::Env env, const Inspections& inspections) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("steps", doubles(env, inspections.steps));
  to.Set("refused", copy_of<uint8_t, Napi::Uint8Array>(env, inspections.refused));
  to.Set("values", copy_of<float, Napi::Float32Array>(env, inspections.values));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const Refusal& refusal) {
  const auto text_or_null = [env](const std::optional<std::string>& text) {
    return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
  };
  Napi::Object to = Napi::Object::New(env);
  to.Set("step", Napi::Number::New(env, static_cast<double>(refusal.step)));
  to.Set("layer", text_or_null(refusal.layer));
  to.Set("tensor", text_or_null(refusal.tensor));
  return to;
}
}  // namespace

Napi::Value to_javascript(Napi::Env env, const TrainResult& result, double waited) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("updates", Napi::Number::New(env, static_cast<double>(result.updates)));
  to.Set("rows", Napi::Number::New(env, static_cast<double>(result.rows)));
  to.Set("waited", Napi::Number::New(env, waited));
  to.Set("loss", doubles(env, result.loss));
  to.Set("regularizationLoss", doubles(env, result.regularization_loss));
  to.Set("weight", doubles(env, result.weight));
  to.Set("gradientNorm", doubles(env, result.gradient_norm));
  to.Set("refused", copy_of<uint8_t, Napi::Uint8Array>(env, result.refused));
  to.Set("metricSums", doubles(env, result.metric_sums));
  to.Set("tensors", doubles(env, result.tensors));
  if (!result.inspections.steps.empty()) to.Set("inspections", to_javascript(env, result.inspections));
  if (result.first_refusal) to.Set("firstRefusal", to_javascript(env, *result.first_refusal));
  if (result.failure) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("step", Napi::Number::New(env, static_cast<double>(result.failure->step)));
    failure.Set("layer", Napi::String::New(env, result.failure->layer));
    failure.Set("tensor", Napi::String::New(env, result.failure->tensor));
    failure.Set("nonfinite", Napi::Number::New(env, static_cast<double>(result.failure->nonfinite)));
    to.Set("failure", failure);
  }
  return to;
}

Napi::Value to_javascript(Napi::Env env, const EvaluateResult& result) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("loss", Napi::Number::New(env, result.loss));
  to.Set("weight", Napi::Number::New(env, result.weight));
  to.Set("regularizationLoss", Napi::Number::New(env, result.regularization_loss));
  to.Set("metricSums", doubles(env, result.metric_sums));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const std::vector<LayerStatistics>& result) {
  Napi::Array all = Napi::Array::New(env);
  for (const LayerStatistics& of : result) {
    Napi::Object to = Napi::Object::New(env);
    to.Set("layer", Napi::String::New(env, of.layer));
    to.Set("op", Napi::String::New(env, of.op));
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, double>>{{"mean", of.mean},
                                                               {"deviation", of.deviation},
                                                               {"units", double(of.units)},
                                                               {"dead", double(of.dead)},
                                                               {"saturated", of.saturated},
                                                               {"nonfinite", double(of.nonfinite)}})
      to.Set(name, Napi::Number::New(env, value));
    all.Set(all.Length(), to);
  }
  return all;
}

Napi::Value to_javascript(Napi::Env env, const InspectionLayout& layout) {
  Napi::Array layers = Napi::Array::New(env), tensors = Napi::Array::New(env);
  for (const LayerInfo& layer : layout.layers) {
    Napi::Object of = Napi::Object::New(env);
    of.Set("layer", Napi::String::New(env, layer.layer));
    of.Set("op", Napi::String::New(env, layer.op));
    of.Set("units", Napi::Number::New(env, static_cast<double>(layer.units)));
    layers.Set(layers.Length(), of);
  }
  for (const std::string& tensor : layout.tensors) tensors.Set(tensors.Length(), Napi::String::New(env, tensor));
  Napi::Object to = Napi::Object::New(env);
  to.Set("layers", layers);
  to.Set("tensors", tensors);
  to.Set("statistics", Napi::Number::New(env, inspection_statistics));
  to.Set("bins", Napi::Number::New(env, histogram_bins));
  to.Set("width", Napi::Number::New(env, static_cast<double>(layout.width(true))));
  to.Set("edges", doubles(env, histogram_edges()));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const std::vector<double>& result) { return doubles(env, result); }

Napi::Value to_javascript(Napi::Env env, const ProbeResult& result) {
  Napi::Object to = Napi::Object::New(env), base = Napi::Object::New(env);
  base.Set("loss", Napi::Number::New(env, result.base_loss));
  base.Set("regularizationLoss", Napi::Number::New(env, result.base_regularization_loss));
  // 53 bits of each: whole numbers of JavaScript.
  Napi::Array hashes = Napi::Array::New(env, result.hashes.size());
  for (uint32_t i = 0; i < result.hashes.size(); ++i)
    hashes.Set(i, Napi::Number::New(env, double(result.hashes[i] >> 11)));
  base.Set("hashes", hashes);
  Napi::Array kinked = Napi::Array::New(env);
  for (size_t op : result.kinked) kinked.Set(kinked.Length(), Napi::Number::New(env, double(op)));
  base.Set("kinked", kinked);
  to.Set("base", base);
  to.Set("loss", doubles(env, result.loss));
  to.Set("penaltyChange", doubles(env, result.penalty_change));
  std::vector<int32_t> flipped;
  for (size_t op : result.flipped) flipped.push_back(op == no_flip ? -1 : int32_t(op));
  to.Set("flipped", copy_of<int32_t, Napi::Int32Array>(env, flipped));
  return to;
}

}  // namespace gradus::binding
