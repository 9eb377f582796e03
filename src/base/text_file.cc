#include "base/text_file.h"

#include <cstdio>
#include <memory>

#include "base/ints.h"
#include "base/system_error.h"

namespace geist {
namespace {}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                       &std::fclose);
  if (!file) return system_error(path);
  std::string text;
  char buffer[65536];
  while (usize count = std::fread(buffer, 1, sizeof buffer, file.get())) text.append(buffer, count);
  if (std::ferror(file.get()) != 0) return system_error(path);
  return text;
}

}  // namespace geist
