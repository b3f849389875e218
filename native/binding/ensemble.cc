#include "ensemble.h"

#include <algorithm>

#include "call_arguments.h"
#include "properties.h"
#include "results.h"

namespace gradus::binding {
namespace {

template <class Named>
Named one_of(Napi::Value value, const char* name, const std::vector<std::pair<const char*, Named>>& known) {
  const std::string given = text(value, name);
  std::string expected;
  for (const auto& [word, meaning] : known) {
    if (given == word) return meaning;
    expected += (expected.empty() ? "" : ", ") + std::string(word);
  }
  invalid(name, "one of " + expected, value);
}

gradus::Ensemble::Rule rule_of(const Napi::CallbackInfo& info, size_t members) {
  gradus::Ensemble::Rule rule;
  rule.weights = copy_of_doubles(info[1], "weights");
  if (rule.weights.size() != members) invalid("weights", std::to_string(members) + " numbers", info[1]);
  double sum = 0;
  for (const double weight : rule.weights) {
    if (weight < 0) invalid("weights", "numbers from 0 up", Napi::Number::New(info.Env(), weight));
    sum += weight;
  }
  if (!(std::abs(sum - 1) < 1e-6)) invalid("weights", "a sum of 1", Napi::Number::New(info.Env(), sum));
  rule.combine = one_of<Combine>(info[2], "combine",
                                 {{"probabilities", Combine::probabilities},
                                  {"geometric", Combine::geometric},
                                  {"scores", Combine::scores},
                                  {"vote", Combine::vote}});
  rule.link = one_of<Link>(info[3], "link",
                           {{"identity", Link::identity}, {"softmax", Link::softmax}, {"sigmoid", Link::sigmoid}});
  rule.temperature = finite_number(info[4], "temperature");
  if (rule.temperature <= 0) invalid("temperature", "a positive number", info[4]);
  return rule;
}

struct Nothing {};  // the result of work that has put it elsewhere

}  // namespace

Napi::Function Ensemble::define(Napi::Env env) {
  return DefineClass(
      env, "NativeEnsemble",
      {accessor<&Ensemble::dtype>("dtype"), accessor<&Ensemble::metric_widths>("metricWidths"),
       method<&Ensemble::evaluate>("evaluate"), method<&Ensemble::predict>("predict"),
       method<&Ensemble::predict_spread>("predictSpread"), method<&Ensemble::predict_rows>("predictRows"),
       method<&Ensemble::request_stop>("stop"), method<&Ensemble::dispose>("dispose")});
}

Ensemble::Ensemble(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] { construct(info); });
}

void Ensemble::construct(const Napi::CallbackInfo& info) {
  const Napi::Array given = array(info[0], "programs");
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Value value = given.Get(i);
    Program& program = Program::from(value, ("programs[" + std::to_string(i) + ']').c_str());
    if (std::count(programs_.begin(), programs_.end(), &program) > 0) invalid("programs", "each program once", info[0]);
    programs_.push_back(&program);
    references_.push_back(Napi::Persistent(value.As<Napi::Object>()));
  }
  gradus::Ensemble::Rule rule = rule_of(info, programs_.size());
  Members members;
  for (const Program* program : programs_) {
    program->present();
    members.push_back(program->shared());
  }
  const Environment& environment = Environment::of(info.Env());
  ensemble_ = gradus::Ensemble::create(members, std::move(rule), *environment.isa, environment.pool);
  output_size_ = members[0]->output_size();
  is_double_ = members[0]->precision() == Precision::float64;
}

Ensemble::~Ensemble() {
  if (ensemble_) account(Env(), -accounted());
}

void Ensemble::account_memory() {
  account(Env(), static_cast<int64_t>(ensemble_->memory() + rows_.result.bytes()) - accounted());
}

void Ensemble::release() {
  ensemble_.reset();
  programs_.clear();
  references_.clear();
  account(Env(), -accounted());
}

void Ensemble::check_present() const {
  if (disposed_) throw Error("GRADUS_DISPOSED", "The ensemble was disposed: make a new one");
  for (const Program* program : programs_) program->present();
}

Ensemble::Members Ensemble::idle() const {
  check_present();
  if (busy_) throw Error("GRADUS_BUSY", "The ensemble is in a call: wait for its promise first");
  Members members;
  members.reserve(programs_.size());
  for (const Program* program : programs_) {
    program->idle();
    members.push_back(program->shared());
  }
  return members;
}

Napi::Value Ensemble::dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), is_double_ ? "float64" : "float32");
}

Napi::Value Ensemble::metric_widths(const Napi::CallbackInfo& info) {
  check_present();
  return array_of(info.Env(), programs_[0]->present().metric_widths(),
                  [&](size_t width) { return Napi::Number::New(info.Env(), double(width)); });
}

std::vector<Napi::Value> Ensemble::host_functions(Napi::Env env) const {
  std::vector<Napi::Value> functions;
  functions.reserve(programs_.size());
  for (const Program* program : programs_) functions.push_back(program->host_function(env));
  return functions;
}

void Ensemble::begin_use(const std::vector<Napi::Value>& functions, bool is_here) {
  busy_ = true;
  for (size_t i = 0; i < programs_.size(); ++i) programs_[i]->begin_use(functions[i], is_here);
}

void Ensemble::end_use() {
  busy_ = false;
  for (Program* program : programs_) program->end_use();
  if (disposed_) {
    release();
  } else {
    account_memory();
  }
}

void Ensemble::clear_stops(const Members& members) {
  ensemble_->stop_requested = false;
  for (const auto& member : members) member->stop_requested = false;
}

// As Program::start, with all members.
template <class Work, class Convert>
Napi::Value Ensemble::start(Napi::Env env, EvaluateCall input, Work work, Convert convert) {
  const Members members = idle();
  if (ensemble_->is_short(members, input)) {
    clear_stops(members);
    return settled(env, [&] {
      const auto result = work(*ensemble_, members, input);
      account_memory();
      return convert(env, result);
    });
  }
  auto call = std::make_unique<Call>(env, static_cast<Caller*>(this));
  using Result = decltype(work(*ensemble_, members, input));
  auto result = std::make_shared<Result>();
  const std::shared_ptr<void> reader = input.data->reader();
  call->work = [ensemble = ensemble_, members, input = std::move(input), work, result] {
    *result = work(*ensemble, members, input);
  };
  call->result = [this, convert, result, reader](Napi::Env env) -> Napi::Value {
    check_present();  // disposed during the call: its promise says so
    return convert(env, *result);
  };
  std::vector<std::shared_ptr<JavaScriptHost>> hosts;
  for (const Program* program : programs_)
    if (program->host()) hosts.push_back(program->host());
  if (!hosts.empty())
    call->thrown = [hosts] {
      Napi::Value thrown;
      for (const auto& host : hosts)
        if (const Napi::Value of_host = host->take_thrown(); thrown.IsEmpty()) thrown = of_host;
      return thrown;
    };
  const Napi::Value promise = call->deferred.Promise();
  const std::vector<Napi::Value> functions = host_functions(env);
  clear_stops(members);
  Environment::of(env).calls.start(env, std::move(call));
  begin_use(functions, false);
  Ref();  // nothing collects this object while the call runs
  return promise;
}

Napi::TypedArray Ensemble::result_array(Napi::Env env, size_t rows) const {
  return Environment::of(env).float_array(env, is_double_, product("dataset", {rows, output_size_}));
}

Napi::Value Ensemble::evaluate(const Napi::CallbackInfo& info) {
  return start(
      info.Env(), evaluate_call(info[0]),
      [](gradus::Ensemble& ensemble, const Members& members, const EvaluateCall& call) {
        return ensemble.evaluate(members, call);
      },
      [](Napi::Env env, const EvaluateResult& result) { return to_javascript(env, result); });
}

// The results' memory is typed arrays that JavaScript sees only when they are filled, as of a program.
Napi::Value Ensemble::predict(const Napi::CallbackInfo& info) {
  EvaluateCall call = predict_call(info[0]);
  idle();
  const Napi::TypedArray array = result_array(info.Env(), call.data->size());
  void* out = elements(array, "result", "a typed array").data;
  auto holder = std::make_shared<Napi::ObjectReference>(Napi::Persistent(array.As<Napi::Object>()));
  return start(
      info.Env(), std::move(call),
      [out](gradus::Ensemble& ensemble, const Members& members, const EvaluateCall& call) {
        ensemble.predict(members, call, out, nullptr);
        return Nothing();
      },
      [holder](Napi::Env, const Nothing&) { return holder->Value(); });
}

Napi::Value Ensemble::predict_spread(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  EvaluateCall call = predict_call(info[0]);
  idle();
  const std::vector<Napi::TypedArray> arrays{result_array(env, call.data->size()),
                                             result_array(env, call.data->size())};
  void* out = elements(arrays[0], "result", "a typed array").data;
  void* spread = elements(arrays[1], "result", "a typed array").data;
  const Napi::Array both = array_of(env, arrays, [](Napi::Value array) { return array; });
  auto holder = std::make_shared<Napi::ObjectReference>(Napi::Persistent(both.As<Napi::Object>()));
  return start(
      env, std::move(call),
      [out, spread](gradus::Ensemble& ensemble, const Members& members, const EvaluateCall& call) {
        ensemble.predict(members, call, out, spread);
        return Nothing();
      },
      [holder](Napi::Env, const Nothing&) { return holder->Value(); });
}

// What a custom layer's JavaScript disposes of is let go of at the end.
void Ensemble::predict_rows(const Napi::CallbackInfo& info) {
  const Members members = idle();
  const auto has_host = [](const Program* program) { return program->host() != nullptr; };
  const bool runs_javascript = std::any_of(programs_.begin(), programs_.end(), has_host);
  rows_.answer(info, output_size_, is_double_, runs_javascript, [&] {
    const std::shared_ptr<gradus::Ensemble> ensemble = ensemble_;
    clear_stops(members);
    begin_use(host_functions(info.Env()), true);
    struct End {
      Ensemble& self;
      ~End() { self.end_use(); }
    } const end{*this};
    ensemble->predict_rows(members, rows_.call, rows_.result.data());
    check_present();
  });
}

void Ensemble::request_stop(const Napi::CallbackInfo&) {
  if (ensemble_) ensemble_->stop_requested = true;
}

void Ensemble::dispose(const Napi::CallbackInfo&) {
  if (disposed_) return;
  disposed_ = true;
  if (busy_) {
    ensemble_->stop_requested = true;
  } else {
    release();
  }
}

void Ensemble::finished() {
  end_use();
  Unref();
}

// The environment is closing: nobody answers for custom layers any more.
void Ensemble::stop() {
  ensemble_->stop_requested = true;
  for (Program* program : programs_) program->stop();
}

}  // namespace gradus::binding
