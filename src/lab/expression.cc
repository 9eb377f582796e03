// A parser by recursive descent that makes a tree, and a walk over it. Both are bounded by the depth
// that the parser allows.
#include "lab/expression.h"

#include <fmt/format.h>

#include <cmath>

namespace geist::lab {

// An operator with its operands, or a leaf. Operators are the first character of how they are
// written, but for "==" '=', "!=" 'n', "<=" 'l', ">=" 'g', unary minus 'm'.
struct Node {
  char what = 0;  // '#': number, 't': text, 'f': fact, '*' of a family: 'F'
  double number = 0;
  std::string text;  // of a text or a fact
  std::unique_ptr<Node> left, right;
};

namespace {

using NodePtr = std::unique_ptr<Node>;

constexpr int kMostDepth = 40;

// Tighter ones last.
struct Level {
  std::string_view words[7];
  char nodes[7];
};
constexpr Level kLevels[] = {
    {{"||"}, {'|'}},
    {{"&&"}, {'&'}},
    {{"==", "!=", "<=", ">=", "<", ">"}, {'=', 'n', 'l', 'g', '<', '>'}},
    {{"+", "-"}, {'+', '-'}},
    {{"*", "/"}, {'x', '/'}},
};
constexpr usize kLevelCount = std::size(kLevels);

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<NodePtr> parse() {
    GEIST_TRY(root, parse_level(0, 0));
    skip_spaces();
    if (at_ != text_.size()) return wrong("unexpected");
    return root;
  }

 private:
  Error wrong(std::string_view what) const {
    return Error(fmt::format("\"{}\": {} at column {}", text_, what, at_ + 1));
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(std::string_view word) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  // The operator of this level that stands here, or 0.
  char take_operator(const Level& level) {
    for (usize i = 0; i < std::size(level.words) && level.nodes[i] != 0; ++i) {
      if (take(level.words[i])) return level.nodes[i];
    }
    return 0;
  }

  Result<NodePtr> parse_level(usize level, int depth) {
    if (level == kLevelCount) return parse_unary(depth);
    GEIST_TRY(left, parse_level(level + 1, depth));
    while (char what = take_operator(kLevels[level])) {
      GEIST_TRY(right, parse_level(level + 1, depth));
      // A chain leans to the left, so its length is a depth, too.
      if (++chained_ > 200) return wrong("too long an expression");
      NodePtr node = std::make_unique<Node>();
      node->what = what;
      node->left = std::move(left);
      node->right = std::move(right);
      left = std::move(node);
    }
    return left;
  }

  Result<NodePtr> parse_unary(int depth) {
    if (depth > kMostDepth) return wrong("nested too deep");
    skip_spaces();
    if (at_ == text_.size()) return wrong("something is missing");
    NodePtr node = std::make_unique<Node>();
    if (take("(")) {
      GEIST_TRY(inner, parse_level(0, depth + 1));
      if (!take(")")) return wrong("no \")\"");
      return inner;
    }
    if (take("-") || take("!")) {
      node->what = text_[at_ - 1] == '-' ? 'm' : '!';
      GEIST_TRY(operand, parse_unary(depth + 1));
      node->left = std::move(operand);
      return node;
    }
    return parse_leaf();
  }

  Result<NodePtr> parse_leaf() {
    NodePtr node = std::make_unique<Node>();
    const char first = text_[at_];
    if (first == '\'') {
      usize end = text_.find('\'', at_ + 1);
      if (end == std::string_view::npos) return wrong("no end of the text");
      node->what = 't';
      node->text = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return node;
    }
    if (!is_name_char(first)) return wrong("unexpected");
    const usize start = at_;
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    std::string_view word = text_.substr(start, at_ - start);
    if (first >= '0' && first <= '9') {
      std::optional<double> number = read_number(word);
      if (!number) return wrong("no number");
      node->what = '#';
      node->number = *number;
      return node;
    }
    node->what = 'f';
    node->text = word;
    if (at_ < text_.size() && text_[at_] == '[') {
      usize end = text_.find(']', at_);
      if (end == std::string_view::npos) return wrong("no \"]\"");
      std::string_view index = text_.substr(at_, end + 1 - at_);
      if (index == "[*]")
        node->what = 'F';
      else
        node->text += index;
      at_ = end + 1;
    }
    return node;
  }

  std::string_view text_;
  usize at_ = 0;
  int chained_ = 0;
};

Value number_value(double number) {
  Value value;
  value.number = number;
  value.text = show_number(number);
  return value;
}

Result<Value> value_of_fact(const Facts& facts, const std::string& name) {
  const Fact* fact = facts.find(name);
  if (fact == nullptr) {
    std::optional<std::string> reason = facts.find_reason(name);
    return Error(reason ? *reason : fmt::format("no program told \"{}\"", name));
  }
  return Value{!fact->number.has_value(), fact->number.value_or(0), fact->text};
}

Result<Value> combine(char what, const Value& left, const Value& right) {
  if (left.is_text != right.is_text)
    return Error(fmt::format("\"{}\" and \"{}\" cannot be compared", left.text, right.text));
  if (left.is_text) {
    if (what == '=') return number_value(left.text == right.text);
    if (what == 'n') return number_value(left.text != right.text);
    return Error(fmt::format("\"{}\" is no number", left.text));
  }
  const double a = left.number;
  const double b = right.number;
  switch (what) {
    case '=':
      return number_value(a == b);
    case 'n':
      return number_value(a != b);
    case 'l':
      return number_value(a <= b);
    case 'g':
      return number_value(a >= b);
    case '<':
      return number_value(a < b);
    case '>':
      return number_value(a > b);
    case '+':
      return number_value(a + b);
    case '-':
      return number_value(a - b);
    case 'x':
      return number_value(a * b);
    default:
      break;
  }
  GEIST_CHECK(what == '/');
  if (b == 0) return Error("a division by zero");
  return number_value(a / b);
}

Result<double> must_be_number(Result<Value> value) {
  if (!value.ok()) return value.take_error();
  if (value->is_text) return Error(fmt::format("\"{}\" is no number", value->text));
  return value->number;
}

Result<Value> evaluate_node(const Node& node, const Facts& facts, const std::string& index) {
  switch (node.what) {
    case '#':
      return number_value(node.number);
    case 't':
      return Value{true, 0, node.text};
    case 'f':
      return value_of_fact(facts, node.text);
    case 'F':
      return value_of_fact(facts, fmt::format("{}[{}]", node.text, index));
    default:
      break;
  }
  if (node.what == 'm' || node.what == '!') {
    GEIST_TRY(number, must_be_number(evaluate_node(*node.left, facts, index)));
    return number_value(node.what == 'm' ? -number : number == 0);
  }
  if (node.what == '&' || node.what == '|') {
    GEIST_TRY(left, must_be_number(evaluate_node(*node.left, facts, index)));
    if ((left != 0) == (node.what == '|')) return number_value(left != 0);
    GEIST_TRY(right, must_be_number(evaluate_node(*node.right, facts, index)));
    return number_value(right != 0);
  }
  GEIST_TRY(left, evaluate_node(*node.left, facts, index));
  GEIST_TRY(right, evaluate_node(*node.right, facts, index));
  return combine(node.what, left, right);
}

const Node* find_family(const Node* node) {
  if (node == nullptr || node->what == 'F') return node;
  const Node* left = find_family(node->left.get());
  return left != nullptr ? left : find_family(node->right.get());
}

}  // namespace

Expression::Expression(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::parse(std::string_view text) {
  GEIST_TRY(root, Parser(text).parse());
  return Expression(std::move(root));
}

Result<Value> Expression::evaluate(const Facts& facts, const std::string& index) const {
  return evaluate_node(*root_, facts, index);
}

std::string Expression::family() const {
  const Node* node = find_family(root_.get());
  return node == nullptr ? "" : node->text;
}

std::string show_number(double number) {
  if (std::abs(number) < 1e15 && number == std::floor(number)) return fmt::format("{:.0f}", number);
  if (std::abs(number) >= 100) return fmt::format("{:.0f}", number);
  std::string text = fmt::format("{:.{}f}", number, std::abs(number) < 0.1 ? 4 : 2);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace geist::lab
