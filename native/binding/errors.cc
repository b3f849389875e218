#include "errors.h"

#include <new>

#include "environment.h"

namespace gradus::binding {

Trouble current_trouble() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code, error.what()};
  } catch (const std::bad_alloc&) {
    return {"GRADUS_OUT_OF_MEMORY", "There is not enough memory for this"};
  } catch (const std::length_error&) {
    return {"GRADUS_TOO_LARGE", "This is larger than any memory"};
  } catch (const std::exception& error) {
    return {"GRADUS_INTERNAL", std::string("Unexpected: ") + error.what()};
  } catch (...) {
    return {"GRADUS_INTERNAL", "Unexpected: an unknown exception"};
  }
}

Napi::Error javascript_error(Napi::Env env, const Trouble& trouble) {
  const Environment* environment = env.GetInstanceData<Environment>();
  if (environment && !environment->error_class.IsEmpty()) {
    Napi::Object error =
        environment->error_class.New({Napi::String::New(env, trouble.code), Napi::String::New(env, trouble.message)});
    return Napi::Error(env, error);
  }
  Napi::Error error = Napi::Error::New(env, trouble.message);
  error.Set("code", Napi::String::New(env, trouble.code));
  return error;
}

}  // namespace gradus::binding
