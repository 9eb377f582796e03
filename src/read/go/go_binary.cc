#include "read/go/go_binary.h"

#include <fmt/format.h>

#include <algorithm>

namespace geist::read {
namespace {

Result<Layout> find_release_layout(const Image& image, const BuildInfo& info,
                                   const ReadOptions& options) {
  if (options.assume_go_minor) {
    std::optional<Layout> layout = find_layout(*options.assume_go_minor);
    if (layout) return *layout;
    return Error(fmt::format("--assume-go=1.{}: geist knows {}; name one of these",
                             *options.assume_go_minor, supported_releases()));
  }
  if (info.release.is_release) {
    std::optional<Layout> layout = find_layout(info.release.minor, info.release.patch);
    if (layout) return *layout;
  }
  int nearest = std::clamp(info.release.minor, kOldestMinor, kNewestMinor);
  if (info.release.minor == 0) nearest = kNewestMinor;
  return Error(fmt::format("{}: built with {}; geist knows {}; --assume-go=1.{} to try",
                           image.path(), info.release.text, supported_releases(), nearest));
}

// Experiments that move fields or change the heap (internal/goexperiment/flags.go); all others
// leave both alone.
Status apply_experiments(const Image& image, const BuildInfo& info, Layout& layout) {
  for (const std::string& experiment : info.experiments) {
    if (experiment == "greenteagc") layout.has_inline_mark_bits = true;
    if (experiment == "nogreenteagc") layout.has_inline_mark_bits = false;
    if (experiment == "swissmap") layout.has_swiss_maps = true;
    if (experiment == "noswissmap") layout.has_swiss_maps = false;
    // Ranks make every mutex larger (runtime/lockrank_on.go); without headers 1.22 has the heap
    // bitmap of 1.21.
    if (experiment == "staticlockranking" || experiment == "noallocheaders") {
      return Error(fmt::format(
          "{}: built with GOEXPERIMENT={}; geist knows the default heap layout; build without it",
          image.path(), experiment));
    }
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<GoBinary>> GoBinary::open(const std::string& path,
                                                 const ReadOptions& options) {
  GEIST_TRY(image, Image::open(path));
  return from_image(std::move(image), options);
}

Result<std::unique_ptr<GoBinary>> GoBinary::from_image(Image image, const ReadOptions& options) {
  GEIST_TRY(info, read_build_info(image));
  GEIST_TRY(layout, find_release_layout(image, info, options));
  GEIST_TRY_STATUS(apply_experiments(image, info, layout));
  // From here on everything points into *binary, which no longer moves.
  std::unique_ptr<GoBinary> binary(new GoBinary(std::move(image), std::move(info), layout));
  GEIST_TRY(module, read_module_data(binary->image_, binary->layout_));
  binary->module_ = module;
  GEIST_TRY(pclntab, Pclntab::read(binary->image_, binary->layout_, binary->module_));
  binary->pclntab_ = std::move(pclntab);
  binary->types_.emplace(binary->image_, binary->layout_, binary->module_);
  return binary;
}

}  // namespace geist::read
