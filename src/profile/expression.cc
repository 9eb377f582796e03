#include "profile/expression.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace geist::profile {

Expression::Expression(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::make(const std::string& name, const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<RE2>(text, options);
  if (!compiled->ok())
    return Error(
        fmt::format("{}: \"{}\" is no regular expression: {}", name, text, compiled->error()));
  return Expression(std::move(compiled));
}

bool Expression::matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace geist::profile
