// GoBinary: an ELF image that was found to be a Go program of a supported release, with its tables
// opened. Immutable once read. Heap-allocated parts refer to each other, so it is handed out as
// unique_ptr.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "read/elf/image.h"
#include "read/go/build_info.h"
#include "read/go/layout.h"
#include "read/go/pclntab.h"
#include "read/go/types.h"

namespace geist::read {

struct ReadOptions {
  std::optional<int> assume_go_minor;  // --assume-go=1.NN
};

class GoBinary {
 public:
  // Fails: not ELF..., not Go, release outside the table (names the release, the range,
  // --assume-go), tables that do not agree with the release.
  static Result<std::unique_ptr<GoBinary>> open(const std::string& path,
                                                const ReadOptions& options = {});
  static Result<std::unique_ptr<GoBinary>> from_image(Image image, const ReadOptions& options = {});

  const Image& image() const { return image_; }
  const BuildInfo& build_info() const { return build_info_; }
  const Layout& layout() const { return layout_; }
  const ModuleData& module() const { return module_; }
  const Pclntab& pclntab() const { return *pclntab_; }
  const Types& types() const { return *types_; }

 private:
  GoBinary(Image image, BuildInfo info, Layout layout)
      : image_(std::move(image)), build_info_(std::move(info)), layout_(layout) {}
  Image image_;
  BuildInfo build_info_;
  Layout layout_;
  ModuleData module_;
  std::optional<Pclntab> pclntab_;
  std::optional<Types> types_;
};

// Finds runtime.firstmoduledata: section .go.module (>= 1.26), else the word in .noptrdata/.data
// (or a relocation addend) that points to .gopclntab and is followed by sane slices. Fails with
// what did not agree.
Result<ModuleData> read_module_data(const Image& image, const Layout& layout);

}  // namespace geist::read
