#include "llama-api.h"

#include <dlfcn.h>

#include <stdexcept>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

namespace {

LlamaApi api;
bool bound = false;

struct Libraries {
  std::string llama, ggmlBase;

  void consider(const char* path) {
    if (path == nullptr) return;
    std::string full = path;
    auto slash = full.rfind('/');
    std::string name = slash == std::string::npos ? full : full.substr(slash + 1);
    if (name.rfind("libllama.", 0) == 0) llama = full;
    if (name.rfind("libggml-base", 0) == 0) ggmlBase = full;
  }
};

Libraries loadedLibraries() {
  Libraries found;
#ifdef __APPLE__
  for (uint32_t i = 0; i < _dyld_image_count(); i++) found.consider(_dyld_get_image_name(i));
#else
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        static_cast<Libraries*>(data)->consider(info->dlpi_name);
        return 0;
      },
      &found);
#endif
  return found;
}

void* handleOf(const std::string& path, const char* what) {
  // RTLD_NOLOAD: a second copy of the library would have its own backends and devices.
  void* handle = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) throw std::runtime_error(std::string(what) + " is not loaded in this process");
  return handle;
}

void* symbol(void* handle, const char* name) {
  void* found = dlsym(handle, name);
  if (found == nullptr) throw std::runtime_error(std::string("llama.cpp has no symbol ") + name);
  return found;
}

}  // namespace

void bindLlama() {
  if (bound) return;
  Libraries libraries = loadedLibraries();
  void* llamaHandle = handleOf(libraries.llama, "libllama");
  void* ggmlHandle = handleOf(libraries.ggmlBase, "libggml-base");
#define RESOLVE_LLAMA(name) api.name = reinterpret_cast<decltype(api.name)>(symbol(llamaHandle, #name));
#define RESOLVE_GGML(name) api.name = reinterpret_cast<decltype(api.name)>(symbol(ggmlHandle, #name));
  LLAMA_SYMBOLS(RESOLVE_LLAMA)
  GGML_SYMBOLS(RESOLVE_GGML)
  bound = true;
}

const LlamaApi& llama() {
  if (!bound) throw std::runtime_error("llama.cpp is not bound");
  return api;
}
