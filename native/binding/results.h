// What calls of a program give back to JavaScript.
#pragma once
#include "engine/program.h"
#include "errors.h"

namespace gradus::binding {

Napi::Value to_javascript(Napi::Env env, const TrainResult& result, double waited);
Napi::Value to_javascript(Napi::Env env, const EvaluateResult& result);
Napi::Value to_javascript(Napi::Env env, const StatisticsResult& result);
Napi::Value to_javascript(Napi::Env env, const std::vector<LayerStatistics>& result);
Napi::Value to_javascript(Napi::Env env, const InspectionLayout& layout);
Napi::Value to_javascript(Napi::Env env, const ProbeResult& result);
Napi::Value to_javascript(Napi::Env env, const std::vector<double>& result);

size_t memory_of(const TrainResult& result);  // bytes

}  // namespace gradus::binding
