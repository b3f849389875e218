#include "results.h"

#include "environment.h"
#include "properties.h"

namespace gradus::binding {
namespace {

Napi::TypedArray doubles(Napi::Env env, const std::vector<double>& from) {
  return Environment::of(env).copy_of(env, from);
}

Napi::Value to_javascript(Napi::Env env, const Inspections& inspections) {
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "steps", doubles(env, inspections.steps));
  define_property(to, "refused", Environment::of(env).copy_of(env, inspections.refused));
  define_property(to, "values", Environment::of(env).copy_of(env, inspections.values));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const Refusal& refusal) {
  const auto text_or_null = [env](const std::optional<std::string>& text) {
    return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
  };
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "step", double(refusal.step));
  define_property(to, "layer", text_or_null(refusal.layer));
  define_property(to, "tensor", text_or_null(refusal.tensor));
  define_property(to, "nonfinite", double(refusal.nonfinite));
  return to;
}
}  // namespace

Napi::Value to_javascript(Napi::Env env, const TrainResult& result, double waited) {
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "updates", double(result.updates));
  define_property(to, "rows", double(result.rows));
  define_property(to, "waited", waited);
  define_property(to, "loss", doubles(env, result.loss));
  define_property(to, "regularizationLoss", doubles(env, result.regularization_loss));
  define_property(to, "weight", doubles(env, result.weight));
  define_property(to, "gradientNorm", doubles(env, result.gradient_norm));
  define_property(to, "refused", Environment::of(env).copy_of(env, result.refused));
  define_property(to, "metricSums", doubles(env, result.metric_sums));
  define_property(to, "tensors", doubles(env, result.tensors));
  if (!result.inspections.steps.empty()) define_property(to, "inspections", to_javascript(env, result.inspections));
  if (result.first_refusal) define_property(to, "firstRefusal", to_javascript(env, *result.first_refusal));
  if (result.gave_up) define_property(to, "gaveUp", to_javascript(env, *result.gave_up));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const EvaluateResult& result) {
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "loss", result.loss);
  define_property(to, "weight", result.weight);
  define_property(to, "regularizationLoss", result.regularization_loss);
  define_property(to, "metricSums", doubles(env, result.metric_sums));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const StatisticsResult& result) {
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "batches", double(result.batches));
  define_property(to, "sums", doubles(env, result.sums));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const std::vector<LayerStatistics>& result) {
  return array_of(env, result, [env](const LayerStatistics& of) {
    Napi::Object to = Napi::Object::New(env);
    define_property(to, "layer", Napi::String::New(env, of.layer));
    define_property(to, "op", Napi::String::New(env, of.op));
    define_property(to, "mean", of.mean);
    define_property(to, "deviation", of.deviation);
    define_property(to, "units", double(of.units));
    define_property(to, "dead", double(of.dead));
    define_property(to, "saturated", of.saturated);
    define_property(to, "nonfinite", double(of.nonfinite));
    define_property(to, "denormal", double(of.denormal));
    return to;
  });
}

Napi::Value to_javascript(Napi::Env env, const InspectionLayout& layout) {
  const Napi::Array layers = array_of(env, layout.layers, [env](const LayerInfo& layer) {
    Napi::Object to = Napi::Object::New(env);
    define_property(to, "layer", Napi::String::New(env, layer.layer));
    define_property(to, "op", Napi::String::New(env, layer.op));
    define_property(to, "units", double(layer.units));
    return to;
  });
  Napi::Object to = Napi::Object::New(env);
  define_property(to, "layers", layers);
  define_property(to, "tensors", text_array(env, layout.tensors));
  define_property(to, "statistics", inspection_statistics);
  define_property(to, "bins", histogram_bins);
  define_property(to, "width", double(layout.width(true)));
  define_property(to, "edges", doubles(env, histogram_edges()));
  return to;
}

Napi::Value to_javascript(Napi::Env env, const std::vector<double>& result) { return doubles(env, result); }

Napi::Value to_javascript(Napi::Env env, const ProbeResult& result) {
  Napi::Object to = Napi::Object::New(env), base = Napi::Object::New(env);
  define_property(base, "loss", result.base_loss);
  define_property(base, "regularizationLoss", result.base_regularization_loss);
  const auto number = [env](auto from) { return Napi::Number::New(env, double(from)); };
  // 53 bits of each: whole numbers of JavaScript.
  define_property(base, "hashes", array_of(env, result.hashes, [&](uint64_t hash) { return number(hash >> 11); }));
  define_property(base, "kinked", array_of(env, result.kinked, number));
  define_property(to, "base", base);
  define_property(to, "loss", doubles(env, result.loss));
  define_property(to, "penaltyChange", doubles(env, result.penalty_change));
  std::vector<int32_t> flipped;
  for (size_t op : result.flipped) flipped.push_back(op == no_flip ? -1 : int32_t(op));
  define_property(to, "flipped", Environment::of(env).copy_of(env, flipped));
  return to;
}

size_t memory_of(const TrainResult& result) {
  size_t bytes = 0;
  const auto add = [&bytes](const auto&... columns) { ((bytes += columns.capacity() * sizeof(columns[0])), ...); };
  add(result.loss, result.regularization_loss, result.weight, result.gradient_norm, result.refused, result.metric_sums,
      result.tensors);
  add(result.inspections.steps, result.inspections.refused, result.inspections.values);
  return bytes;
}

}  // namespace gradus::binding
