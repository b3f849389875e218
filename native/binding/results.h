// What calls of a program take from JavaScript and give back to it.
#pragma once
#include "dataset.h"
#include "engine/program.h"

namespace gradus::binding {

// The properties of a call object, copied at once: nothing of it is read again.
TrainCall train_call(Napi::Value value);

struct PassCall {  // evaluate, predict, gradient
  std::shared_ptr<const gradus::Dataset> data;
  size_t batch_size = 1, threads = 1;
  std::vector<double> class_weights;
  bool training = false, regularization = false;
};
enum class Pass { evaluate, predict, gradient };
PassCall pass_call(Napi::Value value, Pass pass);

Napi::Value to_javascript(Napi::Env env, const TrainResult& result);
Napi::Value to_javascript(Napi::Env env, const EvaluateResult& result);

}  // namespace gradus::binding
