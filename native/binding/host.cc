#include "host.h"

#include <algorithm>

#include "arguments.h"
#include "environment.h"

namespace gradus::binding {
namespace {

const char* name_of(HostCall::Kind kind) {
  switch (kind) {
    case HostCall::Kind::forward:
      return "forward";
    case HostCall::Kind::backward:
      return "backward";
    case HostCall::Kind::loss:
      return "loss";
    case HostCall::Kind::loss_slope:
      return "lossSlope";
    case HostCall::Kind::regularizer:
      return "regularizer";
    case HostCall::Kind::update:
      return "update";
  }
  return "";
}

Napi::TypedArray array_of(Napi::Env env, const HostInput& input, bool is_double) {
  if (input.labels) {
    Napi::Int32Array labels = Napi::Int32Array::New(env, input.size);
    std::copy_n(static_cast<const int32_t*>(input.data), input.size, labels.Data());
    return labels;
  }
  const Napi::TypedArray array = Environment::of(env).float_array(env, is_double, input.size);
  if (input.size == 0) return array;
  const size_t bytes = input.size * (is_double ? sizeof(double) : sizeof(float));
  std::copy_n(static_cast<const uint8_t*>(input.data), bytes,
              static_cast<uint8_t*>(elements(array, "input", "a typed array").data));
  return array;
}

}  // namespace

// Lives in the worker's wait and in its message; `call` is the worker's, and there as long as `waiting`.
struct JavaScriptHost::Request final : Message {
  std::shared_ptr<JavaScriptHost> host;
  struct State {
    HostCall* call = nullptr;
    bool answered = false, failed = false;
    Trouble trouble;
  };
  std::shared_ptr<State> state;
  void deliver(Napi::Env env, Calls&) override { host->answer(env, *this); }
};

JavaScriptHost::JavaScriptHost(Napi::Function function)
    : function_(Napi::Persistent(function)), calls_(Environment::of(function.Env()).calls) {}

void JavaScriptHost::run(HostCall& call) {
  auto request = std::make_unique<Request>();
  request->host = shared_from_this();
  const auto state = request->state = std::make_shared<Request::State>();
  state->call = &call;
  std::unique_lock lock(mutex_);
  if (closed_) throw Error("GRADUS_DISPOSED", "the environment is closing");
  calls_.post(std::move(request));
  answered_.wait(lock, [&] { return state->answered || closed_; });
  state->call = nullptr;
  if (!state->answered) throw Error("GRADUS_DISPOSED", "the environment is closing");
  if (state->failed) throw Error("GRADUS_INTERNAL", "a custom function failed");
}

void JavaScriptHost::keep(Napi::Env env, const Napi::Error& error) noexcept {
  try {
    Napi::Object box = Napi::Object::New(env);
    box.Set("value", error.Value());
    thrown_ = Napi::Persistent(box);
  } catch (...) {
    // An environment that is going away keeps nothing; nobody is left to be told.
  }
}

// The lock is not held while JavaScript runs: it may end the process, and then close() comes from within.
void JavaScriptHost::answer(Napi::Env env, Request& request) {
  Request::State& state = *request.state;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || !state.call) return;
  }
  bool failed = false;
  try {
    Napi::HandleScope scope(env);
    HostCall& call = *state.call;
    Napi::Object info = Napi::Object::New(env);
    info.Set("batch", Napi::Number::New(env, double(call.batch)));
    info.Set("training", Napi::Boolean::New(env, call.training));
    info.Set("seed", Napi::Number::New(env, double(call.seed >> 11)));
    info.Set("learningRate", Napi::Number::New(env, call.learning_rate));
    info.Set("step", Napi::Number::New(env, double(call.step)));
    Napi::Array inputs = Napi::Array::New(env), wanted = Napi::Array::New(env);
    for (const HostInput& input : call.inputs) inputs.Set(inputs.Length(), array_of(env, input, is_double_));
    for (const HostOutput& output : call.outputs)
      wanted.Set(wanted.Length(), output.data ? Napi::Number::New(env, double(output.size)) : env.Null());
    const Napi::Value result = guarded(env, [&] {
      return function_.Call({Napi::String::New(env, name_of(call.kind)), Napi::Number::New(env, double(call.number)),
                             info, inputs, wanted});
    });
    std::lock_guard lock(mutex_);
    if (closed_) return;
    guarded(env, [&] { copy_outputs(object(result, "result"), call); });
  } catch (const Napi::Error& error) {
    failed = true;
    keep(env, error);
  } catch (...) {
    failed = true;
  }
  {
    std::lock_guard lock(mutex_);
    state.answered = true;
    state.failed = failed;
  }
  answered_.notify_all();
}

void JavaScriptHost::copy_outputs(Napi::Object result, HostCall& call) const {
  const Napi::Array outputs = array(result.Get("outputs"), "outputs");
  const napi_typedarray_type type = is_double_ ? napi_float64_array : napi_float32_array;
  for (uint32_t i = 0; i < call.outputs.size(); ++i) {
    const HostOutput& output = call.outputs[i];
    if (!output.data || output.size == 0) continue;
    const Napi::Value value = outputs.Get(i);
    const std::string expected = std::string("a ") + array_name(type) + " of length " + std::to_string(output.size);
    const Elements from = elements(value, "outputs", expected.c_str());
    if (from.type != type || from.length != output.size) invalid("outputs", expected, value);
    const size_t bytes = output.size * (is_double_ ? sizeof(double) : sizeof(float));
    std::copy_n(static_cast<const uint8_t*>(from.data), bytes, static_cast<uint8_t*>(output.data));
  }
  call.fingerprint = whole_number(result.Get("fingerprint"), "fingerprint");
}

void JavaScriptHost::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  answered_.notify_all();
}

Napi::Value JavaScriptHost::take_thrown() {
  if (thrown_.IsEmpty()) return {};
  const Napi::Value value = thrown_.Value().Get("value");
  thrown_.Reset();
  return value;
}

}  // namespace gradus::binding
