// quantize(source, target, type, threads, requantize): rewrites a GGUF file with llama.cpp's own quantiser, on a worker thread.
#pragma once

#include <napi.h>

Napi::Value quantize(const Napi::CallbackInfo& info);
