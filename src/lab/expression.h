// The conditions and figures of claims: arithmetic and comparisons over facts.
//
//   wrong_percent >= 3.2 && wrong_percent <= 4.2        layout == 'swiss'        wrong[*] > 0
//
// Numbers, 'texts', names of facts, ( ), unary - and !, then * /, + -, comparisons, &&, ||. A
// comparison gives 1 or 0. NAME[*] is the fact of the index that is being asked for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/facts.h"

namespace geist::lab {

struct Value {
  bool is_text = false;
  double number = 0;
  std::string text;  // of a fact as it was said, also when it is a number
};

struct Node;  // expression.cc

class Expression {
 public:
  // Fails with what is wrong and where. Nested deeper than 40 is wrong.
  static Result<Expression> parse(std::string_view text);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // Fails with the reason for which it cannot be said: a fact that is missing (and why, when the
  // program told), a text where a number is needed, a division by zero.
  Result<Value> evaluate(const Facts& facts, const std::string& index) const;
  // The first NAME of a NAME[*]; empty: there is none.
  std::string family() const;

 private:
  explicit Expression(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

// A number as a person writes it: 12, 3.62, 41700.
std::string show_number(double number);

}  // namespace geist::lab
