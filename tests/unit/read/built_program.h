// A Go program of one file, built in a folder of its own: both are there as long as this is.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "go_fixture.h"

namespace geist::read {

class BuiltProgram {
 public:
  explicit BuiltProgram(const char* source) {
    std::string folder = std::filesystem::temp_directory_path() / "geist-built-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    std::ofstream(folder_ / "main.go") << source;
    const std::string path = folder_ / "program";
    if (!run_command({"go", "build", "-o", path, folder_ / "main.go"}, {"CGO_ENABLED=0"}).ok)
      return;
    auto opened = GoBinary::open(path);
    if (opened.ok()) binary_ = std::move(opened.value());
  }
  ~BuiltProgram() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  BuiltProgram(const BuiltProgram&) = delete;
  BuiltProgram& operator=(const BuiltProgram&) = delete;

  // Null when there is no Go.
  const GoBinary* binary() const { return binary_.get(); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<GoBinary> binary_;
};

}  // namespace geist::read
