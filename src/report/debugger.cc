// A finding as a script: for gdb one program in Python (script/stop.gdb) with the findings as quoted
// JSON in it, for dlv, whose command language has no branches, a list of commands for one finding.
#include "report/debugger.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/go_symbol.h"
#include "base/printable.h"
#include "base/text.h"

// script.S
extern "C" {
extern const char geist_gdb_script_begin[];
extern const char geist_gdb_script_end[];
}

namespace geist::report {
namespace {

using findings::Finding;
using Json = nlohmann::json;

constexpr usize kMaxLocationBytes = 80;
constexpr int kMaxDepth = 4;

constexpr std::array<std::string_view, 16> kRegisters = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

// sum := term (("+" | "-") number)*    term := number | register | "image" | "[" sum "]"
class LocationParser {
 public:
  LocationParser(std::string_view text, Debugger debugger) : rest_(text), debugger_(debugger) {}

  std::optional<std::string> parse() {
    std::optional<std::string> out = sum(0);
    return rest_.empty() ? out : std::nullopt;
  }

 private:
  std::optional<std::string> sum(int depth) {
    std::optional<std::string> out = term(depth);
    while (out && !rest_.empty() && (rest_[0] == '+' || rest_[0] == '-')) {
      const char sign = rest_[0];
      rest_.remove_prefix(1);
      const std::optional<u64> offset = number();
      if (!offset) return std::nullopt;
      out = fmt::format("{} {} {}", *out, sign, *offset);
    }
    return out;
  }

  std::optional<std::string> term(int depth) {
    if (rest_.starts_with('[')) return depth < kMaxDepth ? word(depth) : std::nullopt;
    if (const std::optional<u64> value = number()) return fmt::format("{}", *value);
    const std::string_view name = rest_.substr(0, rest_.find_first_of("+-[]"));
    rest_.remove_prefix(name.size());
    const bool is_gdb = debugger_ == Debugger::kGdb;
    if (name == "image") return is_gdb ? "image" : "0";  // dlv gets no position-independent program
    if (std::ranges::find(kRegisters, name) == kRegisters.end()) return std::nullopt;
    if (is_gdb) return fmt::format("reg('{}')", name);
    std::string upper(name);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return upper;
  }

  std::optional<std::string> word(int depth) {
    rest_.remove_prefix(1);
    const std::optional<std::string> address = sum(depth + 1);
    if (!address || !rest_.starts_with(']')) return std::nullopt;
    rest_.remove_prefix(1);
    return (debugger_ == Debugger::kGdb ? "word(" : "*(*uint64)(") + *address + ")";
  }

  std::optional<u64> number() {
    const bool is_hex = rest_.starts_with("0x");
    const char* begin = rest_.data() + (is_hex ? 2 : 0);
    u64 value = 0;
    const auto [end, error] =
        std::from_chars(begin, rest_.data() + rest_.size(), value, is_hex ? 16 : 10);
    if (error != std::errc{} || end == begin) return std::nullopt;
    rest_.remove_prefix(static_cast<usize>(end - rest_.data()));
    return value;
  }

  std::string_view rest_;
  Debugger debugger_;
};

struct Stop {
  std::string pc, array, new_len, cap, added;
  std::string victim_array, victim_len;  // empty when not known
};

std::optional<Stop> translate(const findings::StopPoint& stop, Debugger debugger) {
  // As linked: a number, nothing else.
  if (!stop.pc.starts_with("0x") || stop.pc.find_first_not_of("0123456789abcdef", 2) != stop.pc.npos)
    return std::nullopt;
  const auto array = translate_location(stop.array, debugger);
  const auto new_len = translate_location(stop.new_len, debugger);
  const auto cap = translate_location(stop.cap, debugger);
  const auto added = translate_location(stop.added, debugger);
  if (!array || !new_len || !cap || !added) return std::nullopt;
  return Stop{stop.pc,
              *array,
              *new_len,
              *cap,
              *added,
              translate_location(stop.victim_array, debugger).value_or(""),
              translate_location(stop.victim_len, debugger).value_or("")};
}

// Which of the elements that the append writes is the victim's.
u64 changed_element(const Finding& finding) {
  const findings::DrawnView *operand = nullptr, *victim = nullptr;
  for (const findings::DrawnView& view : finding.drawing) {
    if (view.label == "operand" && operand == nullptr) operand = &view;
    if (view.label == "victim" && victim == nullptr) victim = &view;
  }
  if (operand == nullptr || victim == nullptr) return 0;
  const u64 index = static_cast<u64>(victim->first) + finding.element_index -
                    static_cast<u64>(operand->first) - finding.old_len;
  return index < finding.added ? index : 0;
}

// One line without control characters.
std::string one_line(const std::string& text) {
  std::string out = printable(text);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

std::string place_of(const Finding& finding) {
  const findings::Frame& frame = finding.append_stack.front();
  return fmt::format("{} ({}:{})", short_function(frame.function), base_name(frame.file),
                     frame.line);
}

bool has_stop(const Finding& finding, Debugger debugger) {
  return !finding.append_stack.empty() && finding.element_size > 0 &&
         finding.element_size <= 4096 && translate(finding.stop, debugger).has_value();
}

Json finding_for_gdb(const Finding& finding) {
  const Stop stop = *translate(finding.stop, Debugger::kGdb);
  return {{"id", finding.id},
          {"place", place_of(finding)},
          {"pc", stop.pc},
          {"array", stop.array},
          {"new_len", stop.new_len},
          {"cap", stop.cap},
          {"added", stop.added},
          {"victim_frame", finding.stop.victim_frame},
          {"victim_array", stop.victim_array},
          {"victim_len", stop.victim_len},
          {"size", finding.element_size},
          {"changed", changed_element(finding)},
          {"type", finding.element_type},
          {"before", finding.before},
          {"after", finding.after},
          {"before_hex", finding.before_hex},
          {"victim", describe_victim(finding.victim)}};
}

std::string gdb_script(const findings::Report& report) {
  Json list = Json::array();
  for (const Finding& finding : report.findings) {
    if (has_stop(finding, Debugger::kGdb)) list.push_back(finding_for_gdb(finding));
  }
  const Json data = {{"build_id", report.target.build_id}, {"findings", list}};
  // A JSON text, quoted once more as JSON in ASCII: that is a Python literal, whatever is in it.
  const auto handler = Json::error_handler_t::replace;
  const std::string literal =
      Json(data.dump(-1, ' ', true, handler)).dump(-1, ' ', true, handler);
  std::string script(geist_gdb_script_begin, geist_gdb_script_end);
  constexpr std::string_view kHole = "\"@REPORT@\"";
  script.replace(script.find(kHole), kHole.size(), literal);
  return script;
}

// A name that dlv may be asked for: a path of identifiers, fields and indexes.
bool is_plain_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]") == name.npos;
}

bool is_plain_type(std::string_view type) {
  return !type.empty() &&
         type.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]*") == type.npos;
}

// The element as the report has it, where that says the same in every run.
std::string dlv_condition(const Finding& finding, const std::string& at) {
  const std::string& type = finding.element_type;
  const bool is_clipped = finding.before.find("…") != std::string::npos;
  if (type == "string" && finding.before.size() > 2 && finding.before.size() <= 60 &&
      !is_clipped && finding.before.starts_with('"') && finding.before.ends_with('"') &&
      std::ranges::all_of(finding.before, [](char c) { return c >= 0x20 && c < 0x7f; }))
    return fmt::format("*(*string)({}) == {}", at, finding.before);
  if (type.starts_with("int") || type.starts_with("uint") || type == "uintptr") {
    u64 value = 0;
    const usize size = std::min<usize>(finding.before_hex.size() / 2, finding.element_size);
    for (usize i = 0; i < size && i < 8; ++i) {
      u8 byte = 0;
      std::from_chars(finding.before_hex.data() + 2 * i, finding.before_hex.data() + 2 * i + 2,
                      byte, 16);
      value |= static_cast<u64>(byte) << (8 * i);
    }
    if (finding.element_size <= 8)
      return fmt::format("*(*uint{})({}) == {}", 8 * finding.element_size, at, value);
  }
  const u64 bytes = finding.element_size >= 8 ? 8 : finding.element_size >= 4 ? 4 : 1;
  return fmt::format("*(*uint{})({}) != 0", 8 * bytes, at);
}

// Of the frame so many real frames above the append's, as debuggers count: with inlined calls.
usize frame_level(const Finding& finding, u64 real_frames) {
  usize level = 0;
  for (u64 left = real_frames;; ++level) {
    while (level < finding.append_stack.size() && finding.append_stack[level].inlined) ++level;
    if (left-- == 0 || level >= finding.append_stack.size()) return level;
  }
}

void add_victim(const Finding& finding, const Stop& stop, std::string& out) {
  const findings::Victim& victim = finding.victim;
  out += fmt::format("# The victim: {}\n", one_line(describe_victim(victim)));
  if (!stop.victim_array.empty()) {
    const usize level = frame_level(finding, finding.stop.victim_frame);
    out += "print \"the victim's array and length\"\n";
    out += fmt::format("frame {} print %#x {}\n", level, stop.victim_array);
    if (!stop.victim_len.empty()) out += fmt::format("frame {} print {}\n", level, stop.victim_len);
    return;
  }
  if (!is_plain_name(victim.name)) return;
  usize frame = 0;
  while (frame < finding.append_stack.size() &&
         finding.append_stack[frame].function != victim.function)
    ++frame;
  out += "print \"the victim, where dlv can see it:\"\n";
  if (frame == 0 || frame >= finding.append_stack.size())
    out += fmt::format("print {}\n", victim.name);
  else
    out += fmt::format("frame {} print {}\n", frame, victim.name);
}

std::string dlv_script(const Finding& finding) {
  const Stop stop = *translate(finding.stop, Debugger::kDlv);
  const std::string old_len = fmt::format("({}) - ({})", stop.new_len, stop.added);
  const std::string at = fmt::format("({}) + ({} + {}) * {}", stop.array, old_len,
                                     changed_element(finding), finding.element_size);
  std::string out = fmt::format("# The append in {}, before it overwrites an element.\n",
                                one_line(place_of(finding)));
  out += "#   dlv exec --init THIS_FILE ./prog -- args\n";
  out += "# From a script, without a terminal: --allow-non-terminal-interactive=true.\n";
  out += fmt::format("# The report saw {} become {}.\n", one_line(finding.before),
                     one_line(finding.after));
  out += fmt::format("break ghost *{}\n", stop.pc);
  out += fmt::format("condition ghost ({}) <= ({}) && {}\n", stop.new_len, stop.cap,
                     dlv_condition(finding, at));
  out += "continue\n";
  out += "print \"stopped before the append: its operand's array, length, capacity\"\n";
  out += fmt::format("print %#x {}\nprint {}\nprint {}\n", stop.array, old_len, stop.cap);
  out += "print \"the element that it overwrites\"\n";
  if (is_plain_type(finding.element_type))
    out += fmt::format("print *(*{})({})\n", finding.element_type, at);
  const u64 changed_bytes =
      finding.element_size == 1 ? finding.before_hex.size() / 2 : finding.element_size;
  out += fmt::format("print %#x *(*[{}]uint8)({})\n", std::clamp<u64>(changed_bytes, 1, 64), at);
  add_victim(finding, stop, out);
  return out + "stack 6\nclear ghost\ncontinue\nexit\n";
}

}  // namespace

std::optional<Debugger> find_debugger(std::string_view name) {
  if (name == "gdb") return Debugger::kGdb;
  if (name == "dlv") return Debugger::kDlv;
  return std::nullopt;
}

std::optional<std::string> translate_location(std::string_view text, Debugger debugger) {
  if (text.empty() || text.size() > kMaxLocationBytes) return std::nullopt;
  return LocationParser(text, debugger).parse();
}

Result<std::string> emit_script(const findings::Report& report, Debugger debugger) {
  if (debugger == Debugger::kDlv && report.target.position_independent) {
    return Error("the program is position-independent: where it is loaded no script for dlv can know")
        .with_hint("Take --as=gdb, or build it without -buildmode=pie.");
  }
  for (const Finding& finding : report.findings) {
    if (!has_stop(finding, debugger)) continue;
    return debugger == Debugger::kGdb ? gdb_script(report) : dlv_script(finding);
  }
  return Error("no finding of this report says where a debugger can stop before its append")
      .with_hint("The report was made by an earlier geist, or its appends are not probed: run the program again.");
}

}  // namespace geist::report
