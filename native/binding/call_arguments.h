// What calls of a program take from JavaScript: the properties of a call object, copied at once. Nothing of it is read
// again.
#pragma once
#include "arguments.h"
#include "engine/program.h"

namespace gradus::binding {

struct BatchedCall {
  std::shared_ptr<const gradus::Dataset> data;
  size_t batch_size = 1, threads = 1;
  std::vector<double> class_weights, metric_sums;
};

TrainCall train_call(Napi::Value value);
BatchedCall evaluate_call(Napi::Value value);
BatchedCall predict_call(Napi::Value value);  // without the vectors
GradientCall pass_call(Napi::Value value);    // without its term
GradientCall gradient_call(Napi::Value value);
HessianCall hessian_call(Napi::Value value);
ProbeCall probe_call(Napi::Value value);

}  // namespace gradus::binding
