// Result<T>: a value, or an Error that says what was expected, what was found, and what to do next.
//
// One of the three kinds of wrong: *input is bad*. (The others: CHECK for "we are wrong", counters
// for "something was lost".) std::expected is not used because Clang 16 with libstdc++ 12 does not
// have it.
//
//   Result<Image> r = Image::open(path);
//   if (!r.ok()) return r.take_error().in("reading " + path);
//   Image image = std::move(r).value();
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace geist {

// What kind of answer the user gets; cli/ maps it to an exit code.
enum class ErrorKind {
  kBadInput,      // exit 3
  kNotFound,      // exit 127, the words a shell uses
  kNotRunnable,   // exit 126
  kNoPermission,  // exit 3, with the command or capability that helps
  kSystem,        // exit 3, a system call failed
  kNotGo,         // exit 3: a program, but none of Go
};

class Error {
 public:
  explicit Error(std::string message, ErrorKind kind = ErrorKind::kBadInput)
      : message_(std::move(message)), kind_(kind) {}

  // Puts the place in front: "prog: .gopclntab: offset 0x40: magic 0x12, expected 0xfffffff1".
  Error&& in(const std::string& place) && {
    message_ = place + ": " + message_;
    return std::move(*this);
  }
  // Adds the next step for the user, printed on a line of its own.
  Error&& with_hint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
  }

  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  ErrorKind kind() const { return kind_; }

 private:
  std::string message_;
  std::string hint_;
  ErrorKind kind_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() & {
    GEIST_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    GEIST_CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    GEIST_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    GEIST_CHECK(!ok());
    return std::get<1>(state_);
  }
  Error take_error() {
    GEIST_CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace geist

// Leaves the function with the error of EXPR, or declares VAR with its value.
#define GEIST_TRY(var, expr)                                \
  auto var##_result = (expr);                               \
  if (!var##_result.ok()) return var##_result.take_error(); \
  auto var = std::move(var##_result).value()

#define GEIST_TRY_STATUS(expr)                                  \
  do {                                                          \
    auto geist_status_ = (expr);                                \
    if (!geist_status_.ok()) return geist_status_.take_error(); \
  } while (0)
