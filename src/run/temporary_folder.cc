#include "run/temporary_folder.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/system_error.h"

namespace geist::run {

namespace fs = std::filesystem;

Result<TemporaryFolder> TemporaryFolder::make() {
  const char* variable = std::getenv("TMPDIR");
  std::string path =
      fmt::format("{}/geist-XXXXXX", variable != nullptr && *variable != '\0' ? variable : "/tmp");
  if (mkdtemp(path.data()) == nullptr) return system_error(path);
  std::error_code ignored;
  TemporaryFolder folder;
  folder.path_ = fs::absolute(path, ignored).string();
  return folder;
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, "")) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, "");
  }
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  remove();
}

void TemporaryFolder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;  // a temporary file left behind is no reason to fail
  fs::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace geist::run
