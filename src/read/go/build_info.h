// What the Go linker wrote about the build: release, modules, settings. Source: debug/buildinfo,
// runtime/debug. Kept by -s -w, so it is there in stripped binaries too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "read/elf/image.h"

namespace geist::read {

struct GoRelease {
  int minor = 0;     // 26 for go1.26.8
  int patch = 0;     // 8; 0 for go1.26 and release candidates
  std::string text;  // "go1.26.8", as the binary says, with any "-X:..." suffix
  // A release or its candidate. "devel go1.28-5f1d9f7" and dated builds are not: their layouts are
  // in between.
  bool is_release = false;
};

struct Module {
  std::string path;
  std::string version;  // "v2.0.1+incompatible", "(devel)"
};

struct BuildInfo {
  GoRelease release;
  std::string main_package;  // line "path"
  Module main_module;        // line "mod"; empty for std commands
  std::vector<Module> dependencies;
  std::map<std::string, std::string>
      settings;  // lines "build": "-race" → "true", "CGO_ENABLED" → "1", ...
  // GOEXPERIMENT values that differ from the release's own: "nogreenteagc", "boringcrypto".
  std::vector<std::string> experiments;
  bool has_setting(const std::string& key, const std::string& value) const {
    auto it = settings.find(key);
    return it != settings.end() && it->second == value;
  }
};

// Fails: "ELF but not Go" (named gccgo or TinyGo when they can be told), damaged build info.
Result<BuildInfo> read_build_info(const Image& image);

}  // namespace geist::read
