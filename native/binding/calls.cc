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
      const Napi::Value cause = trouble && thrown ? thrown() : Napi::Value();
      if (!cause.IsEmpty()) {
        deferred.Reject(cause);
      } else if (trouble) {
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
                                                       nullptr, nullptr, this, receive, &messages_);
  if (status == napi_ok) status = napi_unref_threadsafe_function(env, messages_);
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
    post(std::unique_ptr<Message>(call));
  };
  // Nothing below fails: from here on the job owns the call, and then its message.
  if (running_.empty()) napi_ref_threadsafe_function(env, messages_);
  running_.insert(call.release()->caller);
  worker.run(std::move(job));
}

void Calls::post(std::unique_ptr<Message> message) {
  napi_call_threadsafe_function(messages_, message.release(), napi_tsfn_nonblocking);
}

void Calls::receive(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Message> message(static_cast<Message*>(data));
  if (env) message->deliver(env, *static_cast<Calls*>(context));  // else it is closing, and its objects with it
}

void Call::deliver(Napi::Env env, Calls& calls) {
  calls.running_.erase(caller);
  if (calls.running_.empty()) napi_unref_threadsafe_function(env, calls.messages_);
  caller->finished();
  settle(env);
}

void Calls::close(void* data) {
  auto& calls = *static_cast<Calls*>(data);
  for (Caller* caller : calls.running_) caller->stop();
  for (Caller* caller : calls.running_) caller->wait();
  calls.running_.clear();
}

}  // namespace gradus::binding
