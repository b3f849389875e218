#include "program.h"

#include <algorithm>
#include <cstring>

#include "call_arguments.h"
#include "devices.h"
#include "properties.h"
#include "results.h"
#include "snapshot.h"
#include "value.h"

namespace gradus::binding {
namespace {

Napi::Array shape_array(Napi::Env env, const std::vector<size_t>& shape) {
  return array_of(env, shape, [&](size_t size) { return Napi::Number::New(env, static_cast<double>(size)); });
}

}  // namespace

Napi::Function Program::define(Napi::Env env) {
  return DefineClass(env, "NativeProgram",
                     {accessor<&Program::dtype>("dtype"),
                      accessor<&Program::device>("device"),
                      accessor<&Program::parameters>("parameters"),
                      accessor<&Program::arenas>("arenas"),
                      accessor<&Program::output_shape>("outputShape"),
                      accessor<&Program::op_names>("opNames"),
                      accessor<&Program::metric_widths>("metricWidths"),
                      accessor<&Program::inspection>("inspection"),
                      accessor<&Program::is_busy>("busy"),
                      accessor<&Program::step, &Program::set_step>("step"),
                      accessor<&Program::momentum_product, &Program::set_momentum_product>("momentumProduct"),
                      method<&Program::read>("read"),
                      method<&Program::write>("write"),
                      method<&Program::export_state>("exportState"),
                      method<&Program::import_state>("importState"),
                      method<&Program::train>("train"),
                      method<&Program::move_average>("moveAverage"),
                      method<&Program::evaluate>("evaluate"),
                      method<&Program::predict>("predict"),
                      method<&Program::predict_rows>("predictRows"),
                      method<&Program::statistics>("statistics"),
                      method<&Program::gradient>("gradient"),
                      method<&Program::hessian_vector>("hessianVector"),
                      method<&Program::input_gradient>("inputGradient"),
                      method<&Program::inspect>("inspect"),
                      method<&Program::probe>("probe"),
                      method<&Program::request_stop>("stop"),
                      method<&Program::dispose>("dispose")});
}

Program::Program(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] { construct(info); });
}

void Program::construct(const Napi::CallbackInfo& info) {
  const gradus::Value descriptor = to_value(info[0], "descriptor");
  if (!info[1].IsUndefined()) {
    if (!info[1].IsFunction()) invalid("host", "a function", info[1]);
    host_ = std::make_shared<JavaScriptHost>(Environment::of(info.Env()).calls);
    Environment::of(info.Env()).host_function.set(info.This().As<Napi::Object>(), info[1]);
  }
  const Environment& environment = Environment::of(info.Env());
  program_ =
      gradus::Program::create(descriptor, *environment.isa, environment.pool, host_, device_of(info[2], info[3]));
  if (host_) host_->use(program_->precision());
  trained_ = std::make_shared<Trained>();
  account_memory();
}

Program::~Program() {
  if (program_) release(Env());
}

// Tells the collector what the program holds now: buffers grow with the batches that calls bring.
void Program::account_memory() {
  const size_t bytes = program_->memory() + memory_of(trained_->result) + rows_.result.bytes();
  account(Env(), static_cast<int64_t>(bytes) - accounted());
}

void Program::release(Napi::Env env) {
  program_.reset();
  host_.reset();
  trained_.reset();
  account(env, -accounted());
}

gradus::Program& Program::present() const {
  if (disposed_) throw Error("GRADUS_DISPOSED", "The program was disposed: make a new one");
  return *program_;
}

gradus::Program& Program::idle() const {
  gradus::Program& program = present();
  if (busy_) throw Error("GRADUS_BUSY", "The program is in a call: wait for its promise first");
  return program;
}

Napi::Value Program::dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), present().precision() == Precision::float64 ? "float64" : "float32");
}

Napi::Value Program::device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), present().device());
}

Napi::Value Program::parameters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return array_of(env, present().parameters(), [&](const ParameterInfo& parameter) {
    Napi::Object to = Napi::Object::New(env);
    define_property(to, "name", Napi::String::New(env, parameter.name));
    define_property(to, "shape", shape_array(env, parameter.shape));
    define_property(to, "size", double(parameter.size));
    define_property(to, "trainable", Napi::Boolean::New(env, parameter.trainable));
    define_property(to, "isStatistic", Napi::Boolean::New(env, parameter.is_statistic));
    return to;
  });
}

Napi::Value Program::arenas(const Napi::CallbackInfo& info) { return text_array(info.Env(), present().arenas()); }

Napi::Value Program::output_shape(const Napi::CallbackInfo& info) {
  return shape_array(info.Env(), present().output_shape());
}

Napi::Value Program::metric_widths(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), present().metric_widths(),
                  [&](size_t width) { return Napi::Number::New(info.Env(), double(width)); });
}

Napi::Value Program::op_names(const Napi::CallbackInfo& info) { return text_array(info.Env(), present().op_names()); }

Napi::Value Program::inspection(const Napi::CallbackInfo& info) {
  return to_javascript(info.Env(), present().inspection());
}

Napi::Value Program::is_busy(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), busy_); }

Napi::Value Program::step(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(idle().step()));
}

void Program::set_step(const Napi::CallbackInfo& info) {
  const uint64_t step = step_number(info[0], "step");
  idle().set_step(step);
}

Napi::Value Program::momentum_product(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), idle().momentum_product());
}

void Program::set_momentum_product(const Napi::CallbackInfo& info) {
  const double product = share(info[0], "momentumProduct");
  idle().set_momentum_product(product);
}

Program::Slice Program::slice(const Napi::CallbackInfo& info) {
  const std::string arena = text(info[0], "arena");
  const size_t index = whole_number(info[1], "parameter");
  gradus::Program& program = idle();
  const auto& parameters = program.parameters();
  if (index >= parameters.size())
    invalid("parameter", "one of the " + std::to_string(parameters.size()) + " parameters there are", info[1]);
  const auto names = program.arenas();
  if (std::find(names.begin(), names.end(), arena) == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    invalid("arena", "one of " + known, info[0]);
  }
  return {arena, index, parameters[index].size};
}

bool Program::is_double() const { return program_->precision() == Precision::float64; }

Napi::Value Program::read(const Napi::CallbackInfo& info) {
  const auto [arena, parameter, size] = slice(info);
  const Napi::TypedArray to = Environment::of(info.Env()).float_array(info.Env(), is_double(), size);
  program_->read(arena, parameter, elements(to, "result", "a typed array").data);
  return to;
}

Napi::Value Program::input_gradient(const Napi::CallbackInfo& info) {
  const size_t input = whole_number(info[0], "input");
  const std::optional<size_t> size = idle().input_gradient_size(input);
  if (!size) invalid("input", "the number of an input that is differentiated", info[0]);
  const Napi::TypedArray to = Environment::of(info.Env()).float_array(info.Env(), is_double(), *size);
  program_->read_input_gradient(input, elements(to, "result", "a typed array").data);
  return to;
}

void Program::write(const Napi::CallbackInfo& info) {
  const auto [arena, parameter, size] = slice(info);
  size_t first = 0, count = size;
  if (!info[3].IsUndefined()) {
    first = whole_number(info[3], "first");
    if (first > size) invalid("first", "at most " + std::to_string(size), info[3]);
    count = elements(info[2], "data", "a Float32Array or a Float64Array").length;
    if (count > size - first) invalid("data", "at most " + std::to_string(size - first) + " elements", info[2]);
  }
  program_->write(arena, parameter, first, count, numbers_of(info[2], "data", count, is_double()).data());
}

namespace {
struct Nothing {};  // the result of work that has put it elsewhere

template <class Input>
std::shared_ptr<void> reader_of(const Input& input) {
  return input.data->reader();
}
template <>
std::shared_ptr<void> reader_of(const std::shared_ptr<gradus::Snapshot>& snapshot) {
  return snapshot;
}
template <>
std::shared_ptr<void> reader_of(const AverageCall&) {
  return nullptr;
}
}  // namespace

template <class Input, class Work, class Convert>
Napi::Value Program::start(Napi::Env env, Input input, Work work, Convert convert) {
  gradus::Program& program = idle();
  if constexpr (std::is_same_v<Input, EvaluateCall>)
    if (program.is_short(input)) {
      program.stop_requested = false;
      return settled(env, [&] {
        const auto result = work(program, input);
        account_memory();
        return convert(env, result);
      });
    }
  auto call = std::make_unique<Call>(env, static_cast<Caller*>(this));
  using Result = decltype(work(program, input));
  auto result = std::make_shared<Result>();
  const std::shared_ptr<void> reader = reader_of(input);
  call->work = [&program, input = std::move(input), work, result] { *result = work(program, input); };
  call->result = [this, convert, result, reader](Napi::Env env) -> Napi::Value {
    present();  // disposed during the call: its promise says so
    return convert(env, *result);
  };
  if (host_) call->thrown = [host = host_] { return host->take_thrown(); };
  const Napi::Value promise = call->deferred.Promise();
  const Napi::Value function = host_function(env);
  program.stop_requested = false;
  Environment::of(env).calls.start(env, std::move(call));
  begin_use(function);
  Ref();  // nothing collects this object while the call runs
  return promise;
}

Napi::Value Program::export_state(const Napi::CallbackInfo& info) {
  const std::shared_ptr<gradus::Snapshot>& to = Snapshot::from(info[0], "snapshot").idle();
  return start(
      info.Env(), to,
      [threads = info[1].IsUndefined() ? 1 : thread_count(info[1])](gradus::Program& program,
                                                                    const std::shared_ptr<gradus::Snapshot>& to) {
        program.export_state(*to, threads);
        return Nothing();
      },
      [](Napi::Env env, const Nothing&) { return env.Undefined(); });
}

Napi::Value Program::import_state(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), Snapshot::from(info[0], "snapshot").idle(),
      [](gradus::Program& program, const std::shared_ptr<gradus::Snapshot>& from) {
        program.import_state(*from);
        return Nothing();
      },
      [](Napi::Env env, const Nothing&) { return env.Undefined(); });
}

Napi::Value Program::train(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), train_call(info[0]),
      [trained = trained_](gradus::Program& program, const TrainCall& call) {
        program.train(call, trained->result);
        trained->finished = std::chrono::steady_clock::now();
        return Nothing();
      },
      [trained = trained_](Napi::Env env, const Nothing&) {
        const std::chrono::duration<double, std::milli> waited = std::chrono::steady_clock::now() - trained->finished;
        return to_javascript(env, trained->result, waited.count());
      });
}

Napi::Value Program::move_average(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), average_call(info[0]),
      [](gradus::Program& program, const AverageCall& call) {
        program.move_average(call);
        return Nothing();
      },
      [](Napi::Env env, const Nothing&) { return env.Undefined(); });
}

Napi::Value Program::evaluate(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), evaluate_call(info[0]),
      [](gradus::Program& program, const EvaluateCall& call) { return program.evaluate(call); },
      [](Napi::Env env, const EvaluateResult& result) { return to_javascript(env, result); });
}

// The result's memory is a typed array that JavaScript sees only when it is filled: no copy, and nobody can detach it.
Napi::Value Program::predict(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  EvaluateCall call = predict_call(info[0]);
  gradus::Program& program = idle();
  const size_t size = product("dataset", {call.data->size(), program.output_size()});
  const Napi::TypedArray array = Environment::of(env).float_array(env, is_double(), size);
  void* out = elements(array, "result", "a typed array").data;
  auto holder = std::make_shared<Napi::ObjectReference>(Napi::Persistent(array.As<Napi::Object>()));
  return start(
      env, std::move(call),
      [out](gradus::Program& program, const EvaluateCall& call) {
        program.predict(call, out);
        return Nothing();
      },
      [holder](Napi::Env, const Nothing&) { return holder->Value(); });
}

Napi::Value Program::statistics(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), statistics_call(info[0]),
      [](gradus::Program& program, const StatisticsCall& call) { return program.statistics(call); },
      [](Napi::Env env, const StatisticsResult& result) { return to_javascript(env, result); });
}

Napi::Value Program::gradient(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), gradient_call(info[0]),
      [](gradus::Program& program, const GradientCall& call) { return program.gradient(call); },
      [](Napi::Env env, const EvaluateResult& result) { return to_javascript(env, result); });
}

Napi::Value Program::hessian_vector(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), hessian_call(info[0]),
      [](gradus::Program& program, const HessianCall& call) { return program.hessian_vector(call); },
      [](Napi::Env env, const std::vector<double>& result) { return to_javascript(env, result); });
}

Napi::Value Program::inspect(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), pass_call(info[0]),
      [](gradus::Program& program, const GradientCall& call) { return program.inspect(call); },
      [](Napi::Env env, const std::vector<LayerStatistics>& result) { return to_javascript(env, result); });
}

Napi::Value Program::probe(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), probe_call(info[0]),
      [](gradus::Program& program, const ProbeCall& call) { return program.probe(call); },
      [](Napi::Env env, const ProbeResult& result) { return to_javascript(env, result); });
}

}  // namespace gradus::binding
