// NativeSnapshot of lib/native.ts.
#pragma once
#include <memory>

#include "engine/snapshot.h"
#include "object_wrap.h"

namespace gradus::binding {

// The collector is not told of its memory: to be told of so much, at each save, makes it work for milliseconds here and
// now. So whoever makes one disposes of it.
class Snapshot : public Wrapped<Snapshot> {
 public:
  static constexpr napi_type_tag tag{0x677261647573736e, 0x617073686f740001};
  static constexpr const char* type_name = "Snapshot";
  static Napi::Function define(Napi::Env env);

  explicit Snapshot(const Napi::CallbackInfo& info);

  // Throws GRADUS_DISPOSED, and GRADUS_BUSY as long as a call holds the pointer.
  const std::shared_ptr<gradus::Snapshot>& idle() const;

 private:
  // Elements of an arena, and of the array that they are copied to or from.
  struct Place {
    uint8_t* kept;
    size_t bytes;
    void* given;
  };

  void construct(const Napi::CallbackInfo& info);
  Place place_of(const Napi::CallbackInfo& info) const;
  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value arenas(const Napi::CallbackInfo& info);
  Napi::Value length(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  void set_step(const Napi::CallbackInfo& info);
  Napi::Value momentum_product(const Napi::CallbackInfo& info);
  void set_momentum_product(const Napi::CallbackInfo& info);
  Napi::Value watching(const Napi::CallbackInfo& info);
  void set_watching(const Napi::CallbackInfo& info);
  void read(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<gradus::Snapshot> data_;  // empty when disposed
};

}  // namespace gradus::binding
