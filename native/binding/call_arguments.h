// What calls of a program take from JavaScript: the properties of a call object, copied at once. Nothing of it is read
// again.
#pragma once
#include "arguments.h"
#include "engine/program.h"

namespace gradus::binding {

TrainCall train_call(Napi::Value value);
EvaluateCall evaluate_call(Napi::Value value);
EvaluateCall predict_call(Napi::Value value);  // without the vectors
GradientCall pass_call(Napi::Value value);     // without its term
GradientCall gradient_call(Napi::Value value);
HessianCall hessian_call(Napi::Value value);
ProbeCall probe_call(Napi::Value value);

}  // namespace gradus::binding
