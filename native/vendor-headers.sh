#!/usr/bin/env bash
# Copies llama.cpp's C headers out of the pinned node-llama-cpp package: run it after changing that pin.
set -euo pipefail
cd "$(dirname "$0")"
package=../node_modules/node-llama-cpp/llama
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$package/gitRelease.bundle" "$work/llama" 2>/dev/null
target=include/llama.cpp
mkdir -p "$target"
cp "$work/llama/include/llama.h" "$work/llama/LICENSE" "$target/"
cp "$work"/llama/ggml/include/{ggml,ggml-backend,ggml-cpu,ggml-opt,ggml-alloc,gguf}.h "$target/"
node -p "require('$package/llama.cpp.info.json').tag" > "$target/VERSION"
