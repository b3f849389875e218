#include "errors.h"

#include <new>
#include <system_error>

#include "environment.h"
#include "properties.h"

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
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again)
      return {"GRADUS_INTERNAL", std::string("Unexpected: ") + error.what()};
    return {"GRADUS_OUT_OF_THREADS", "The system gives this process no more threads"};
  } catch (const std::exception& error) {
    return {"GRADUS_INTERNAL", std::string("Unexpected: ") + error.what()};
  } catch (...) {
    return {"GRADUS_INTERNAL", "Unexpected: an unknown exception"};
  }
}

std::string shortened(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  const std::string ellipsis = "…";
  size_t end = most - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // in the middle of a character
  return text.substr(0, end) + ellipsis;
}

Napi::Error javascript_error(Napi::Env env, const Trouble& trouble) {
  // Names in a message may be so long that JavaScript has no string for it.
  constexpr size_t longest = 4096;
  const std::string message = shortened(trouble.message, longest);
  const Environment* environment = env.GetInstanceData<Environment>();
  if (environment && !environment->error_class.IsEmpty()) {
    Napi::Object error =
        environment->error_class.New({Napi::String::New(env, trouble.code), Napi::String::New(env, message)});
    return Napi::Error(env, error);
  }
  Napi::Error error = Napi::Error::New(env, message);
  define_property(error.Value().As<Napi::Object>(), "code", Napi::String::New(env, trouble.code));
  return error;
}

}  // namespace gradus::binding
