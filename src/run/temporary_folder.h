// A folder below TMPDIR that goes with the object that made it.
#pragma once

#include <string>

#include "base/result.h"

namespace geist::run {

class TemporaryFolder {
 public:
  TemporaryFolder() = default;  // owns nothing
  // A new, empty one with an absolute path. Fails with the path and what the system said.
  static Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  void remove();
  std::string path_;
};

}  // namespace geist::run
