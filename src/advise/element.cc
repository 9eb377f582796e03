// Types by name: the basic ones and what is made of them, sizes as on amd64. A substitute is a struct
// of runs, [3]unsafe.Pointer, [2]uintptr, [5]byte; what append costs depends on size and pointers alone
// (runtime/slice.go, growslice).
//
// Where the words of a type are not known, the bytes of the finding's values tell which of them hold
// addresses. That may be wrong for a word that is nil in both values, so it is said.
#include "advise/element.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "base/printable.h"

namespace geist::advise {
namespace {

constexpr int kMostDepth = 6;
constexpr usize kLongestName = 200;
constexpr u64 kWord = 8;
constexpr usize kMostWords = 512;  // of an element, that are looked at

struct Basic {
  std::string_view name;
  u64 size;
  bool has_pointers;
  std::string_view value;
};
constexpr std::array kBasics{
    Basic{"bool", 1, false, "i%2 == 0"},
    Basic{"int", 8, false, "i"},
    Basic{"int8", 1, false, "int8(i)"},
    Basic{"int16", 2, false, "int16(i)"},
    Basic{"int32", 4, false, "int32(i)"},
    Basic{"int64", 8, false, "int64(i)"},
    Basic{"uint", 8, false, "uint(i)"},
    Basic{"uint8", 1, false, "uint8(i)"},
    Basic{"uint16", 2, false, "uint16(i)"},
    Basic{"uint32", 4, false, "uint32(i)"},
    Basic{"uint64", 8, false, "uint64(i)"},
    Basic{"uintptr", 8, false, "uintptr(i)"},
    Basic{"byte", 1, false, "byte(i)"},
    Basic{"rune", 4, false, "rune(i)"},
    Basic{"float32", 4, false, "float32(i)"},
    Basic{"float64", 8, false, "float64(i)"},
    Basic{"complex64", 8, false, "complex64(complex(float64(i), 1))"},
    Basic{"complex128", 16, false, "complex(float64(i), 1)"},
    Basic{"string", 16, true, "strconv.Itoa(1000 + i)"},
    Basic{"error", 16, true, "errors.New(strconv.Itoa(i))"},
    Basic{"any", 16, true, "any(strconv.Itoa(i))"},
    Basic{"interface {}", 16, true, "any(strconv.Itoa(i))"},
    Basic{"unsafe.Pointer", 8, true, "unsafe.Pointer(&cells[i])"},
};

struct Type {
  std::string text, value;
  u64 size = 0;
  bool has_pointers = false;
};

std::optional<Type> read_type(std::string_view name, int depth);

std::optional<Type> read_array(std::string_view name, int depth) {
  u64 length = 0;
  auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), length);
  if (error != std::errc() || end == name.data() + name.size() || *end != ']' || length == 0)
    return std::nullopt;
  auto of = read_type(name.substr(static_cast<usize>(end - name.data()) + 1), depth + 1);
  if (!of || of->size == 0 || length > kMostElement / of->size) return std::nullopt;
  std::string text = fmt::format("[{}]{}", length, of->text);
  return Type{text, fmt::format("{}{{{}}}", text, of->value), length * of->size, of->has_pointers};
}

std::optional<Type> read_type(std::string_view name, int depth) {
  if (depth > kMostDepth) return std::nullopt;
  for (const Basic& basic : kBasics) {
    if (basic.name == name)
      return Type{basic.name == "interface {}" ? "any" : std::string(name),
                  std::string(basic.value), basic.size, basic.has_pointers};
  }
  auto rest_of = [&](std::string_view prefix) -> std::optional<Type> {
    if (!name.starts_with(prefix)) return std::nullopt;
    return read_type(name.substr(prefix.size()), depth + 1);
  };
  if (name.starts_with("[]")) {
    auto of = rest_of("[]");
    if (!of) return of;
    return Type{"[]" + of->text, fmt::format("[]{}{{{}}}", of->text, of->value), 3 * kWord, true};
  }
  if (name.starts_with("*")) {
    auto of = rest_of("*");
    if (!of) return of;
    return Type{"*" + of->text,
                fmt::format("func() *{} {{ v := {}; return &v }}()", of->text, of->value), kWord,
                true};
  }
  if (name.starts_with("chan ")) {
    auto of = rest_of("chan ");
    if (!of) return of;
    return Type{"chan " + of->text, fmt::format("make(chan {}, 1)", of->text), kWord, true};
  }
  return name.starts_with("[") ? read_array(name, depth) : std::nullopt;
}

u64 read_word(std::string_view hex) {
  u64 word = 0;
  for (usize byte = 0; byte < kWord && 2 * byte + 1 < hex.size(); ++byte) {
    u64 value = 0;
    auto [end, error] =
        std::from_chars(hex.data() + 2 * byte, hex.data() + 2 * byte + 2, value, 16);
    if (error != std::errc()) return 0;
    word |= value << (8 * byte);
  }
  return word;
}

// Text and data of a Go program begin at 4 MiB, its heap far above; an address has 47 bits.
bool is_address(u64 word) {
  return word >= u64{4} << 20 && word < u64{1} << 47;
}

// Which words hold addresses, as far as the values show.
std::vector<bool> find_pointers(const findings::Finding& finding) {
  std::vector<bool> words(finding.element_size % kWord == 0 ? finding.element_size / kWord : 0);
  for (usize i = 0; i < std::min(words.size(), kMostWords); ++i) {
    bool is_one = false;
    bool is_none = false;
    for (std::string_view hex :
         {std::string_view(finding.before_hex), std::string_view(finding.after_hex)}) {
      if (hex.size() < (i + 1) * 2 * kWord) continue;
      u64 word = read_word(hex.substr(i * 2 * kWord));
      is_one = is_one || is_address(word);
      is_none = is_none || (word != 0 && !is_address(word));
    }
    words[i] = is_one && !is_none;
  }
  return words;
}

Element make_substitute(const findings::Finding& finding) {
  const std::vector<bool> words = find_pointers(finding);
  Element element;
  element.size = finding.element_size;
  std::string fields;
  std::string set;
  u64 pointers = 0;
  int field = 0;
  auto add_run = [&](u64 length, std::string_view type, std::string_view value) {
    fields += fmt::format("{}f{} [{}]{}", field == 0 ? " " : "; ", field, length, type);
    set += fmt::format("v.f{}[0] = {}; ", field++, value);
  };
  for (usize i = 0; i < words.size();) {
    usize end = i;
    while (end < words.size() && words[end] == words[i]) ++end;
    if (words[i]) pointers += end - i;
    add_run(end - i, words[i] ? "unsafe.Pointer" : "uintptr",
            words[i] ? "unsafe.Pointer(&cells[i])" : "uintptr(i)");
    i = end;
  }
  if (words.empty()) add_run(finding.element_size, "byte", "byte(i)");
  element.has_pointers = pointers != 0;
  element.type = fmt::format("struct {{{} }}", fields);
  element.value = fmt::format("func() (v {}) {{ {}return }}()", element.type, set);
  element.note = fmt::format(
      "{} is measured as a type of the same size, {} bytes with {} pointer{}: the words that hold "
      "addresses in the finding's values",
      finding.element_type.empty() ? "the unknown element type" : printable(finding.element_type),
      element.size, pointers, pointers == 1 ? "" : "s");
  return element;
}

}  // namespace

Result<Element> make_element(const findings::Finding& finding) {
  if (finding.element_size == 0) return Error("no size of its elements is known");
  if (finding.element_size > kMostElement)
    return Error(fmt::format("its elements have {} bytes, more than {} are not measured",
                             finding.element_size, kMostElement));
  if (finding.element_type.size() <= kLongestName) {
    std::optional<Type> type = read_type(finding.element_type, 0);
    if (type && type->size == finding.element_size)
      return Element{type->text, type->value, type->size, type->has_pointers, ""};
  }
  return make_substitute(finding);
}

}  // namespace geist::advise
