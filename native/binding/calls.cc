#include "calls.h"

#include <memory>

namespace gradus::binding {

Worker::Worker() : thread_([this] { loop(); }) {}

Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Worker::run(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Worker::loop() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

Call::Call(Napi::Env env, Caller* caller)
    : caller(caller), deferred(env), origin(Napi::Persistent(Napi::Error::New(env, "").Value())) {}

namespace {
// The stack of the place that made the call, under the error's own first line.
Napi::Value with_stack(Napi::Error error, const Napi::ObjectReference& origin) {
  const std::string frames = origin.Value().Get("stack").ToString();
  const size_t line = frames.find('\n');
  if (line != std::string::npos) {
    const std::string head = error.Value().Get("name").ToString().Utf8Value() + ": " + error.Message();
    error.Value().Set("stack", head + frames.substr(line));
  }
  return error.Value();
}
}  // namespace

void Call::settle(Napi::Env env) noexcept {
  try {
    Napi::HandleScope scope(env);
    try {
      if (trouble) {
        deferred.Reject(with_stack(javascript_error(env, *trouble), origin));
      } else {
        deferred.Resolve(guarded(env, [&] { return result(env); }));
      }
    } catch (const Napi::Error& error) {
      deferred.Reject(with_stack(error, origin));
    }
  } catch (...) {
    // Only an environment that is going away refuses to settle a promise: nobody is left to be told.
  }
}

void Calls::open(Napi::Env env) {
  napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "gradus"), 0, 1,
                                                       nullptr, nullptr, this, complete, &completion_);
  if (status == napi_ok) status = napi_unref_threadsafe_function(env, completion_);
  // Added after the threadsafe function, so it runs before that goes: no thread can call into it afterwards.
  if (status == napi_ok) status = napi_add_env_cleanup_hook(env, close, this);
  if (status != napi_ok) throw Error("GRADUS_INTERNAL", "The addon could not be set up in this environment");
}

void Calls::start(Napi::Env env, Worker& worker, std::unique_ptr<Call> call) {
  std::function<void()> job = [this, call = call.get()] {
    try {
      call->work();
    } catch (...) {
      call->trouble = current_trouble();
    }
    call->work = nullptr;
    napi_call_threadsafe_function(completion_, call, napi_tsfn_nonblocking);
  };
  // Nothing below fails: from here on complete() owns the call.
  if (running_.empty()) napi_ref_threadsafe_function(env, completion_);
  running_.insert(call.release()->caller);
  worker.run(std::move(job));
}

void Calls::complete(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<Call> call(static_cast<Call*>(data));
  if (!env) return;  // the environment is closing, and its objects with it
  auto& calls = *static_cast<Calls*>(context);
  calls.running_.erase(call->caller);
  if (calls.running_.empty()) napi_unref_threadsafe_function(env, calls.completion_);
  call->caller->finished();
  call->settle(env);
}

void Calls::close(void* data) {
  auto& calls = *static_cast<Calls*>(data);
  for (Caller* caller : calls.running_) caller->stop();
  for (Caller* caller : calls.running_) caller->wait();
  calls.running_.clear();
}

}  // namespace gradus::binding
