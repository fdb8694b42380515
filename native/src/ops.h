// One registration function for each of MLX's headers that the addon shows to JavaScript.
#pragma once

#include <napi.h>

namespace deskhand {

void register_ops(Napi::Env env, Napi::Object exports);
void register_fast(Napi::Env env, Napi::Object exports);
void register_quantized(Napi::Env env, Napi::Object exports);
void register_random(Napi::Env env, Napi::Object exports);
void register_io(Napi::Env env, Napi::Object exports);
void register_eval(Napi::Env env, Napi::Object exports);

} // namespace deskhand
