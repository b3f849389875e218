#include "calls.h"

namespace gradus::binding {

Call::Call(Napi::Env env, Caller* caller)
    : caller(caller), deferred(env), origin(Napi::Persistent(Napi::Error::New(env, "").Value())) {}

namespace {
// The stack of the place that made the call, under the error's own first line.
void take_stack(const Napi::Error& error, const Napi::ObjectReference& origin) {
  const std::string frames = origin.Value().Get("stack").ToString();
  const size_t line = frames.find('\n');
  if (line == std::string::npos) return;
  const std::string head = error.Value().Get("name").ToString().Utf8Value() + ": " + error.Message();
  error.Value().Set("stack", head + frames.substr(line));
}
}  // namespace

void Call::reject(const Napi::Error& error) const {
  try {
    take_stack(error, origin);
  } catch (const Napi::Error&) {
    // A stack is made by Error.prepareStackTrace, which may be anybody's and fail: then the error keeps its own.
  }
  deferred.Reject(error.Value());
}

void Call::settle(Napi::Env env) noexcept {
  try {
    Napi::HandleScope scope(env);
    try {
      const Napi::Value cause = trouble && thrown ? thrown() : Napi::Value();
      if (!cause.IsEmpty()) {
        deferred.Reject(cause);
      } else if (trouble) {
        reject(javascript_error(env, *trouble));
      } else {
        deferred.Resolve(guarded(env, [&] { return result(env); }));
      }
    } catch (const Napi::Error& error) {
      reject(error);
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

void Calls::start(Napi::Env env, std::unique_ptr<Call> call) {
  Job job;
  job.work = [this, call = call.get()] {
    try {
      if (!closing_) call->work();
    } catch (...) {
      call->trouble = current_trouble();
    }
    call->work = nullptr;
  };
  job.announce = [this, call = call.get()] { post(std::unique_ptr<Message>(call)); };
  const auto running = running_.insert(call->caller).first;
  try {
    crew_.run(std::move(job));
  } catch (...) {
    running_.erase(running);
    throw;
  }
  call.release();  // the job owned it from the moment that it was taken, and then its message does
  if (running_.size() == 1) napi_ref_threadsafe_function(env, messages_);
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
  calls.closing_ = true;
  for (Caller* caller : calls.running_) caller->stop();
  calls.crew_.end();
  calls.running_.clear();
}

}  // namespace gradus::binding
