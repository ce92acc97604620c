// What JavaScript sees: bind(), abiProblems(), Engine, quantize().
#include <napi.h>

#include <stdexcept>

#include "engine.h"
#include "quantize.h"

static Napi::Value bind(const Napi::CallbackInfo& info) {
  try {
    bindLlama();
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
  return info.Env().Undefined();
}

static Napi::Value problems(const Napi::CallbackInfo& info) {
  auto found = abiProblems();
  auto result = Napi::Array::New(info.Env(), found.size());
  for (uint32_t i = 0; i < found.size(); i++) result[i] = Napi::String::New(info.Env(), found[i]);
  return result;
}

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("bind", Napi::Function::New(env, bind));
  exports.Set("abiProblems", Napi::Function::New(env, problems));
  exports.Set("Engine", Engine::define(env));
  exports.Set("quantize", Napi::Function::New(env, quantize));
  return exports;
}

NODE_API_MODULE(logguardian, initialise)
