// What calls of a program take from JavaScript: the properties of a call object, copied at once. Nothing of it is read
// again.
#pragma once
#include "arguments.h"
#include "engine/program.h"

namespace gradus::binding {

TrainCall train_call(Napi::Value value);
AverageCall average_call(Napi::Value value);
EvaluateCall evaluate_call(Napi::Value value);
EvaluateCall predict_call(Napi::Value value);  // without the vectors
StatisticsCall statistics_call(Napi::Value value);
GradientCall pass_call(Napi::Value value);  // without its term
GradientCall gradient_call(Napi::Value value);
HessianCall hessian_call(Napi::Value value);
ProbeCall probe_call(Napi::Value value);

size_t thread_count(Napi::Value value);
uint64_t step_number(Napi::Value value, const char* name);

double share(Napi::Value value, const char* name);  // from 0 to 1
// The numbers of a Float32Array or Float64Array in the program's precision, in memory of their own.
std::vector<uint8_t> numbers_of(Napi::Value value, const std::string& name, size_t size, bool is_double);

}  // namespace gradus::binding
