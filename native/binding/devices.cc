#include "devices.h"

#include "engine/device_library.h"
#include "properties.h"

namespace gradus::binding {
namespace {

Napi::Object line(Napi::Env env, const DeviceListing& listing) {
  Napi::Object to = Napi::Object::New(env);
  const auto define_text = [&](const char* name, const std::string& text) {
    define_property(to, name, Napi::String::New(env, text));
  };
  define_text("device", listing.device);
  define_text("name", listing.info.name);
  define_property(to, "memory", double(listing.info.memory));
  define_property(to, "free", double(listing.info.free));
  define_text("capability", capability_text(listing.info.capability));
  define_text("driver", listing.info.driver);
  define_text("reason", listing.reason);
  return to;
}

// "cuda:1" → 1
int32_t ordinal_of(Napi::Value device) {
  const std::string name = text(device, "device");
  const bool is_plain = name == "cuda", is_numbered = name.compare(0, 5, "cuda:") == 0 && name.size() <= 10;
  const std::string number = is_numbered ? name.substr(5) : is_plain ? "0" : "";
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos)
    invalid("device", "\"cpu\", \"cuda\" or a card as \"cuda:1\"", device);
  return int32_t(std::stol(number));
}

}  // namespace

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    return array_of(env, list_devices(text(info[0], "library")),
                    [env](const DeviceListing& listing) { return line(env, listing); });
  });
}

std::shared_ptr<OpenDevice> device_of(Napi::Value device, Napi::Value library) {
  if (device.IsUndefined() || (device.IsString() && text(device, "device") == "cpu")) return nullptr;
  const int32_t ordinal = ordinal_of(device);
  return OpenDevice::open(load_device_library(text(library, "library")), ordinal);
}

}  // namespace gradus::binding
