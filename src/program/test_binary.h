// Binaries that go test builds. Source: cmd/go/internal/load/test.go, go1.21 to go1.27.
#pragma once

#include <optional>
#include <string>

#include "read/go/go_binary.h"

namespace geist::program {

// The import path of the package whose tests the binary runs; nothing for another binary, which has
// a main.main of its own and not one from the generated _testmain.go.
std::optional<std::string> find_tested_package(const read::GoBinary& binary);

}  // namespace geist::program
