// The code of functions, each decoded when it is first asked for.
#pragma once

#include <map>
#include <optional>

#include "program/code.h"

namespace geist::program {

// Belongs to one thread, as the code does. The binary must outlive it.
class CodeCache {
 public:
  explicit CodeCache(const read::GoBinary& binary) : binary_(&binary) {}
  const read::GoBinary& binary() const { return *binary_; }
  // Null when it does not decode. Stays where it is.
  const FunctionCode* find(const read::Function& function) {
    auto it = codes_.find(function.index.value);
    if (it == codes_.end())
      it = codes_.emplace(function.index.value, FunctionCode::decode(*binary_, function)).first;
    return it->second ? &*it->second : nullptr;
  }

 private:
  const read::GoBinary* binary_;
  std::map<u32, std::optional<FunctionCode>> codes_;
};

}  // namespace geist::program
