#include "host.h"

#include <algorithm>

#include "arguments.h"
#include "environment.h"
#include "properties.h"

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
    case HostCall::Kind::metric:
      return "metric";
  }
  return "";
}

Napi::TypedArray copy_of(Napi::Env env, const HostInput& input, bool is_double) {
  const Environment& environment = Environment::of(env);
  if (input.labels) return environment.copy_of(env, static_cast<const int32_t*>(input.data), input.size);
  if (is_double) return environment.copy_of(env, static_cast<const double*>(input.data), input.size);
  return environment.copy_of(env, static_cast<const float*>(input.data), input.size);
}

Napi::Object info_of(Napi::Env env, const HostCall& call) {
  Napi::Object info = Napi::Object::New(env);
  define_property(info, "batch", double(call.batch));
  define_property(info, "training", Napi::Boolean::New(env, call.training));
  define_property(info, "seed", double(call.seed >> 11));
  define_property(info, "learningRate", call.learning_rate);
  define_property(info, "step", double(call.step));
  return info;
}

}  // namespace

// What the function gave, with nothing left in it that could run more JavaScript.
struct JavaScriptHost::Outputs {
  std::vector<Napi::Value> arrays;
  Napi::Value fingerprint;
};

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

void JavaScriptHost::run(HostCall& call) {
  if (here_) return run_here(call);
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

// What JavaScript throws goes through the engine to whoever made the call.
void JavaScriptHost::run_here(HostCall& call) const {
  if (closed_) throw Error("GRADUS_DISPOSED", "The program was disposed: make a new one");
  const Napi::HandleScope scope(here_);
  copy(ask(here_, call), call);
}

void JavaScriptHost::keep(Napi::Env env, const Napi::Error& error) noexcept {
  try {
    Napi::Object box = Napi::Object::New(env);
    define_property(box, "value", error.Value());
    thrown_ = Napi::Persistent(box);
  } catch (...) {
    // An environment that is going away keeps nothing; nobody is left to be told.
  }
}

// The lock is not held while JavaScript runs: it may dispose of the program or end the process, and then close() comes
// from within, and the worker takes its call away.
void JavaScriptHost::answer(Napi::Env env, Request& request) {
  Request::State& state = *request.state;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || !state.call) return;
  }
  bool failed = false;
  try {
    guarded(env, [&] {
      Napi::HandleScope scope(env);
      const Outputs outputs = ask(env, *state.call);
      std::lock_guard lock(mutex_);
      if (state.call) copy(outputs, *state.call);
    });
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

// Nothing of the call is looked at once the function runs: by then it may be gone.
JavaScriptHost::Outputs JavaScriptHost::ask(Napi::Env env, const HostCall& call) const {
  const auto input_of = [&](const HostInput& input) { return copy_of(env, input, is_double_); };
  const auto size_of = [&](const HostOutput& output) {
    return output.data ? Napi::Value(Napi::Number::New(env, double(output.size))) : env.Null();
  };
  const size_t count = call.outputs.size();
  const Napi::Value result =
      function_.Call({Napi::String::New(env, name_of(call.kind)), Napi::Number::New(env, double(call.number)),
                      info_of(env, call), array_of(env, call.inputs, input_of), array_of(env, call.outputs, size_of)});
  const Napi::Object from = object(result, "result");
  const Napi::Array arrays = array(from.Get("outputs"), "outputs");
  Outputs outputs;
  for (uint32_t i = 0; i < count; ++i) outputs.arrays.push_back(arrays.Get(i));
  outputs.fingerprint = from.Get("fingerprint");
  return outputs;
}

void JavaScriptHost::copy(const Outputs& outputs, HostCall& call) const {
  for (size_t i = 0; i < call.outputs.size(); ++i) {
    const HostOutput& output = call.outputs[i];
    if (!output.data || output.size == 0) continue;
    const bool is_double = is_double_ || output.is_double;
    const napi_typedarray_type type = is_double ? napi_float64_array : napi_float32_array;
    const Napi::Value value = outputs.arrays[i];
    const std::string expected = std::string(array_name(type)) + " of length " + std::to_string(output.size);
    const Elements from = elements(value, "outputs", expected.c_str());
    if (from.type != type || from.length != output.size) invalid("outputs", expected, value);
    const size_t bytes = output.size * (is_double ? sizeof(double) : sizeof(float));
    std::copy_n(static_cast<const uint8_t*>(from.data), bytes, static_cast<uint8_t*>(output.data));
  }
  call.fingerprint = whole_number(outputs.fingerprint, "fingerprint");
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
