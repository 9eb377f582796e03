// A regular expression as Go's package regexp reads it. Linear in time: expressions come from profiles, too.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace geist::profile {

class Expression {
 public:
  // `name` is the flag, for messages.
  static Result<Expression> make(const std::string& name, const std::string& text);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();
  // Somewhere in `text`.
  bool matches(std::string_view text) const;

 private:
  explicit Expression(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace geist::profile
