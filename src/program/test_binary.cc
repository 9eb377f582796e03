#include "program/test_binary.h"

namespace geist::program {

// The main package of a test binary is the tested one with ".test" behind it, or, where that is a
// main package itself, just that.
std::optional<std::string> find_tested_package(const read::GoBinary& binary) {
  constexpr std::string_view kSuffix = ".test";
  const read::Pclntab& functions = binary.pclntab();
  std::optional<read::Function> main = functions.find_function_named("main.main");
  if (!main || functions.source_frames(*main, main->entry).back().file != "_testmain.go")
    return std::nullopt;
  std::string package = binary.build_info().main_package;
  if (package.ends_with(kSuffix)) package.resize(package.size() - kSuffix.size());
  return package;
}

}  // namespace geist::program
