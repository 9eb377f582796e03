#include "base/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/ints.h"

namespace geist {
namespace {

Error failure(const std::string& path) {
  int number = errno;
  return Error(fmt::format("{}: {}", path, std::strerror(number)), ErrorKind::kSystem);
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                       &std::fclose);
  if (!file) return failure(path);
  std::string text;
  char buffer[65536];
  while (usize count = std::fread(buffer, 1, sizeof buffer, file.get())) text.append(buffer, count);
  if (std::ferror(file.get()) != 0) return failure(path);
  return text;
}

}  // namespace geist
