// What calls of a program take from JavaScript and give back to it.
#pragma once
#include "dataset.h"
#include "engine/program.h"

namespace gradus::binding {

// The properties of a call object, copied at once: nothing of it is read again.
TrainCall train_call(Napi::Value value);

struct BatchedCall {
  std::shared_ptr<const gradus::Dataset> data;
  size_t batch_size = 1, threads = 1;
  std::vector<double> class_weights;
};
enum class Pass { evaluate, predict };
BatchedCall batched_call(Napi::Value value, Pass pass);
GradientCall pass_call(Napi::Value value);  // without its term
GradientCall gradient_call(Napi::Value value);
HessianCall hessian_call(Napi::Value value);
ProbeCall probe_call(Napi::Value value);

Napi::Value to_javascript(Napi::Env env, const TrainResult& result, double waited);
Napi::Value to_javascript(Napi::Env env, const EvaluateResult& result);
Napi::Value to_javascript(Napi::Env env, const std::vector<LayerStatistics>& result);
Napi::Value to_javascript(Napi::Env env, const InspectionLayout& layout);
Napi::Value to_javascript(Napi::Env env, const ProbeResult& result);
Napi::Value to_javascript(Napi::Env env, const std::vector<double>& result);

}  // namespace gradus::binding
