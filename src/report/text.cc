// The report for people. The first two lines are enough to act; below them stands the evidence:
//
//   head      level, number, rule, count; one sentence: which append overwrote what
//   values    the element before and after, in its type
//   stacks    who overwrote it, who holds it, who read it afterwards (when such a read was seen)
//   array     the views drawn over each other
//   fix       the expression that copies instead
//
// Every line states something that was seen; what is not known is left out, so each part tests its
// own fields. Text from the target is made printable first and lines fit the width by clipping,
// never by dropping a part.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/go_symbol.h"
#include "base/text.h"
#include "findings/classes.h"
#include "findings/losses.h"
#include "findings/place.h"
#include "report/report.h"
#include "report/sections.h"
#include "source/patch.h"

namespace geist::report {
namespace {

using findings::Finding;
using findings::Frame;
using findings::Level;

constexpr std::string_view kRule = "==================";
constexpr usize kHeadWidth = 95;  // where "seen 1x" ends
constexpr usize kFrameIndent = 6;
constexpr usize kMinNameColumn = 29;  // a function's column, with its space
constexpr usize kMaxNameColumn = 54;
constexpr usize kMaxPlaceWidth = 36;
constexpr usize kPlaceSpace = 6;      // behind the place, when there is room
constexpr usize kMinSourceRoom = 24;  // below this the source line goes to a line of its own
constexpr usize kMaxFrames = 12;
constexpr std::string_view kMadeBy = "made by  ";

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kGreen = "\x1b[32m";

std::string times(u64 count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

class TextWriter {
 public:
  TextWriter(const findings::Report& report, const TextOptions& options)
      : report_(report), options_(options) {}

  void write_plain_appends();
  void write_finding(const Finding& finding) {
    line(std::string(kRule));
    write_head(finding);
    write_tests(finding);
    write_values(finding);
    write_stacks(finding);
    write_array(finding);
    write_fix(finding);
    line(std::string(kRule));
  }
  void write_bisection(const findings::Bisection& bisection);
  void write_other_change(const findings::OtherChange& change);
  void line(const std::string& text) { out_ += text + "\n"; }
  std::string take() { return std::move(out_); }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return options_.color && !text.empty() ? fmt::format("{}{}\x1b[0m", code, text) : text;
  }
  std::string place(const Frame& frame) const {
    if (frame.file.empty()) return "";
    std::string file = printable(short_file(frame.file, report_.target, options_));
    return frame.line > 0 ? fmt::format("{}:{}", file, frame.line) : file;
  }
  // The end of a path says more than its start.
  static std::string clip_front(const std::string& text, usize width) {
    if (display_width(text) <= width) return text;
    usize drop = display_width(text) - width + 1;
    usize at = 0;
    for (; at < text.size() && drop > 0; drop--) {
      at++;
      while (at < text.size() && (static_cast<u8>(text[at]) & 0xc0) == 0x80) at++;
    }
    return "…" + text.substr(at);
  }
  // Bytes that both begin with.
  static usize common_start(const std::string& a, const std::string& b) {
    return static_cast<usize>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                              a.begin());
  }
  // As clip(), but where the first `alike` bytes would fill the room, what comes behind them, with
  // a little of them in front.
  static std::string clip_around(const std::string& text, usize alike, usize width) {
    constexpr usize kTelling = 12, kInFront = 24;
    if (alike + kTelling < width || display_width(text) <= width || alike >= text.size())
      return clip(text, width);
    usize at = alike - std::min(alike, kInFront);
    while (at > 0 && (static_cast<u8>(text[at]) & 0xc0) == 0x80) at--;
    return clip((at > 0 ? "…" : "") + text.substr(at), width);
  }
  static std::string pad(const std::string& text, usize width) {
    usize taken = display_width(text);
    return taken >= width ? text + "  " : text + std::string(width - taken, ' ');
  }

  void write_head(const Finding& finding);
  void write_tests(const Finding& finding);
  void write_values(const Finding& finding);
  void plan_frame_columns(const Finding& finding);
  void write_frame(const Frame& frame, const std::string& lead, const std::string& note);
  void write_frames(const std::vector<Frame>& frames);
  void write_stacks(const Finding& finding);
  void write_sides(const Finding& finding);
  void write_victim(const Finding& finding);
  void write_array(const Finding& finding);
  void write_fix(const Finding& finding);
  std::string heal_command(const std::string& name) const;
  void write_proof(const findings::Proof& proof);
  void write_diff(const findings::Proof& proof);
  void write_patch(const Finding& finding);

  const findings::Report& report_;
  const TextOptions& options_;
  std::string out_;
  usize name_column_ = kMinNameColumn;
  usize place_column_ = 0;
};

std::string class_title(const std::string& finding_class) {
  std::string title;
  for (char c : printable(finding_class)) {
    title.push_back(c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return title;
}

void TextWriter::write_head(const Finding& finding) {
  std::string title = class_title(finding.finding_class);
  std::string level(findings::level_name(finding.level));
  std::string right =
      fmt::format("#{}  {}  seen {}x", finding.id, printable(finding.rule), finding.count);
  usize left_width = display_width(title) + 2 + level.size();
  usize head_width = std::min<usize>(kHeadWidth, options_.width);
  usize space = left_width + 2 + display_width(right) <= head_width
                    ? head_width - left_width - display_width(right)
                    : 2;
  line(paint(kRed, title) + "  " + paint(kBold, level) + std::string(space, ' ') + right);

  line(emit_sentence(finding));
  if (std::string sleeps = emit_sleeping_sentence(finding); !sleeps.empty()) line(sleeps);
}

void TextWriter::write_tests(const Finding& finding) {
  if (finding.tests.empty()) return;
  usize more = finding.tests.size() - 1;
  std::string rest = more == 0 ? "" : fmt::format(" and {} more", more);
  constexpr std::string_view kLead = "in test ";
  usize room =
      options_.width > kLead.size() + rest.size() ? options_.width - kLead.size() - rest.size() : 1;
  line(std::string(kLead) + clip_front(printable(finding.tests.front()), room) + rest);
}

void TextWriter::write_values(const Finding& finding) {
  std::string before = printable(finding.before);
  std::string after = printable(finding.after);
  if (before.empty() && after.empty()) {  // no type known: the bytes
    before = printable(finding.before_hex);
    after = printable(finding.after_hex);
  }
  if (before.empty() && after.empty()) return;
  line("");
  constexpr std::string_view kBefore = "  before   ";
  constexpr std::string_view kAfter = "     after   ";
  usize together = kBefore.size() + display_width(before) + kAfter.size() + display_width(after);
  usize room = options_.width > kBefore.size() ? options_.width - kBefore.size() : 1;
  if (!before.empty() && !after.empty() && together <= options_.width) {
    line(std::string(kBefore) + paint(kGreen, before) + std::string(kAfter) + paint(kRed, after));
  } else {
    const usize alike = common_start(before, after);
    if (!before.empty()) line("  before   " + paint(kGreen, clip_around(before, alike, room)));
    if (!after.empty()) line("  after    " + paint(kRed, clip_around(after, alike, room)));
  }
}

// Every goroutine ends in runtime.main or runtime.goexit; they tell nothing.
usize count_telling(const std::vector<Frame>& frames) {
  usize count = frames.size();
  while (count > 1 && (frames[count - 1].function == "runtime.goexit" ||
                       frames[count - 1].function == "runtime.main")) {
    count--;
  }
  return count;
}

usize count_shown(const std::vector<Frame>& frames) {
  usize count = count_telling(frames);
  return count <= kMaxFrames ? count : kMaxFrames - 1;
}

// All stacks of one finding share their columns. The space behind the place gives way to long
// source lines.
void TextWriter::plan_frame_columns(const Finding& finding) {
  name_column_ = kMinNameColumn;
  usize longest_place = 0;
  usize longest_source = 0;
  auto fit = [&](const Frame& frame, usize lead_width) {
    usize name_width = display_width(printable(short_function(frame.function)));
    name_column_ = std::max(name_column_, lead_width + name_width + 2);
    longest_place = std::max(longest_place, display_width(place(frame)));
    longest_source = std::max(longest_source, display_width(printable(frame.source)));
  };
  for (const std::vector<Frame>* frames : {&finding.append_stack, &finding.reader_stack}) {
    for (usize i = 0; i < count_shown(*frames); i++) fit((*frames)[i], 0);
  }
  for (const findings::Stack& stack : finding.stacks) {
    for (usize i = 0; i < count_shown(stack.frames); i++) fit(stack.frames[i], 0);
    if (!stack.made_at.empty()) fit(stack.made_at.front(), kMadeBy.size());
  }
  if (!finding.victim.made_by.empty()) fit(finding.victim.made_by.front(), kMadeBy.size());
  name_column_ = std::min(name_column_, kMaxNameColumn);
  longest_place = std::min(longest_place, kMaxPlaceWidth);
  usize space = kPlaceSpace;
  while (space > 2 &&
         kFrameIndent + name_column_ + longest_place + space + longest_source > options_.width) {
    space--;
  }
  place_column_ = longest_place + space;
}

// `lead` stands inside the function's column ("made by  "), `note` in the place of the source line.
void TextWriter::write_frame(const Frame& frame, const std::string& lead, const std::string& note) {
  usize name_room = name_column_ - 2 - lead.size();
  std::string name = lead + clip(printable(short_function(frame.function)), name_room);
  std::string where = clip_front(place(frame), kMaxPlaceWidth);
  std::string behind = note.empty() ? printable(frame.source) : note;
  std::string indent(kFrameIndent, ' ');
  usize taken = kFrameIndent + name_column_ + place_column_;
  usize room = options_.width > taken ? options_.width - taken : 0;
  std::string text = indent + pad(name, name_column_);
  if (behind.empty()) return line(where.empty() ? indent + name : text + where);
  if (display_width(behind) <= room || room >= kMinSourceRoom) {
    return line(text + pad(where, place_column_) + clip(behind, room));
  }
  line(text + where);
  usize own_indent = kFrameIndent + 4;
  line(std::string(own_indent, ' ') +
       clip(behind, options_.width > own_indent ? options_.width - own_indent : 1));
}

void TextWriter::write_frames(const std::vector<Frame>& frames) {
  usize count = count_telling(frames);
  usize shown = count_shown(frames);
  for (usize i = 0; i < shown; i++) write_frame(frames[i], "", "");
  if (shown < count)
    line(fmt::format("{}… {} more", std::string(kFrameIndent, ' '), count - shown));
}

void TextWriter::write_victim(const Finding& finding) {
  const findings::Victim& victim = finding.victim;
  std::string size = ", " + describe_length(victim);
  if (victim.cap != 0) size += fmt::format(" cap {}", victim.cap);
  constexpr std::string_view kLead = "  the victim: ";
  usize taken = kLead.size() + size.size();
  line(std::string(kLead) +
       clip(describe_victim(victim), options_.width > taken ? options_.width - taken : 1) + size);
  if (!finding.other_victims.empty()) {
    const usize more = finding.other_victims.size() - 1;
    const std::string rest = more == 0 ? "" : fmt::format(" and {} more", more);
    line("  and also: " + clip(printable(finding.other_victims.front()), kMaxNameColumn) + rest);
  }
  if (!victim.made_by.empty()) {
    write_frame(victim.made_by.front(), std::string(kMadeBy),
                victim.made_by_note.empty() ? "" : "(" + printable(victim.made_by_note) + ")");
  }
}

void TextWriter::write_sides(const Finding& finding) {
  for (const findings::Stack& stack : finding.stacks) {
    line(fmt::format("  {}{}", printable(stack.role),
                     stack.goroutine.empty() ? "" : ": goroutine " + printable(stack.goroutine)));
    write_frames(stack.frames);
    if (!stack.made_at.empty()) {
      const std::string by = stack.made_by_goroutine.empty()
                                 ? ""
                                 : "(by goroutine " + printable(stack.made_by_goroutine) + ")";
      write_frame(stack.made_at.front(), std::string(kMadeBy), by);
    }
  }
  if (!finding.ended_with.empty())
    line("  the program ended with: " + printable(finding.ended_with));
  if (finding.victim.is_known()) {
    // "a map" → "the map"
    const std::string_view what = findings::words_of(finding).victim;
    std::string text =
        fmt::format("  the{}: {}", what.substr(what.find(' ')), describe_victim(finding.victim));
    if (!finding.victim.name.empty() && !finding.victim.type.empty())
      text += ", a " + printable(finding.victim.type);
    line(clip(text, options_.width));
  }
}

void TextWriter::write_stacks(const Finding& finding) {
  const findings::ClassWords& words = findings::words_of(finding);
  plan_frame_columns(finding);
  auto by = [](const std::string& goroutine) {
    return goroutine.empty() ? "" : " by goroutine " + printable(goroutine);
  };
  line("");
  if (finding.pid != 0)
    line(fmt::format("  in process {}, {}", finding.pid, printable(finding.binary)));
  if (!finding.stacks.empty()) return write_sides(finding);
  if (!finding.append_stack.empty()) {
    line(fmt::format("  {}{}", words.writer, by(finding.goroutine)));
    write_frames(finding.append_stack);
  }
  if (finding.victim.is_known()) write_victim(finding);
  if (finding.level >= Level::kConfirmed && !finding.reader_stack.empty()) {
    line(fmt::format("  {}{}", words.reader, by(finding.reader_goroutine)));
    write_frames(finding.reader_stack);
  }
}

void TextWriter::write_array(const Finding& finding) {
  if (finding.array_address.empty()) return;
  line("");
  std::string head = "  backing array " + printable(finding.array_address);
  if (finding.array_capacity != 0 && finding.element_size != 0) {
    head += fmt::format(", {} x {} bytes", finding.array_capacity, finding.element_size);
  }
  line(head);
  std::optional<i64> changed;
  if (finding.drawing.size() > 1) {  // [1] is the victim, in which the changed element was counted
    i64 index = 0;
    bool overflows = __builtin_add_overflow(finding.drawing[1].first,
                                            static_cast<i64>(finding.element_index), &index);
    if (!overflows) changed = index;
  }
  usize room = options_.width > kFrameIndent ? options_.width - kFrameIndent : 0;
  for (std::string& row : draw_array(finding.drawing, changed, room)) {
    usize star = row.rfind("[*");
    usize end = star == std::string::npos ? star : row.find("*]", star);
    if (options_.color && end != std::string::npos) {
      row =
          row.substr(0, star) + paint(kRed, row.substr(star, end + 2 - star)) + row.substr(end + 2);
    }
    line(std::string(kFrameIndent, ' ') + row);
  }
}

// To be copied into a shell. A command too long for a line is shortened to its program.
std::string TextWriter::heal_command(const std::string& name) const {
  constexpr std::string_view kRemark = "        (no rebuild)";
  constexpr usize kLead = 11;
  std::string start = fmt::format("geist heal --site '{}' -- ", printable(name));
  std::string command;
  for (const std::string& word : report_.target.command) {
    command += (command.empty() ? "" : " ") + quote_for_shell(word);
  }
  command = printable(command);
  // Not go is what has the append, and its tests are programs that come and go.
  const std::vector<std::string>& words = report_.target.command;
  if (words.size() > 1 && words[0] == "go" && words[1] == "test") command = "PROGRAM";
  if (display_width(start + command) + kLead > options_.width &&
      report_.target.command.size() > 1) {
    command = printable(report_.target.command.front()) + " …";
  }
  bool has_room = display_width(start + command) + kRemark.size() + kLead <= options_.width;
  return start + command + (has_room ? std::string(kRemark) : "");
}

void TextWriter::write_fix(const Finding& finding) {
  const bool has_fix = !finding.fix.empty() || !finding.fix_elsewhere.empty();
  if (!has_fix && finding.heal.empty() && finding.repeat.empty() && !finding.proof) return;
  line("");
  if (!finding.fix.empty()) line("  fix      " + paint(kBold, printable(finding.fix)));
  write_patch(finding);
  if (!finding.fix_elsewhere.empty())
    line(fmt::format("  {}      {}", finding.fix.empty() ? "fix" : "or ",
                     printable(finding.fix_elsewhere)));
  if (!finding.heal.empty()) line("  heal     " + heal_command(finding.heal));
  if (!finding.repeat.empty()) line("  repeat   " + printable(finding.repeat));
  if (finding.proof) write_proof(*finding.proof);
}

void TextWriter::write_proof(const findings::Proof& proof) {
  line("  proof    " + emit_proof_sentence(proof));
  write_diff(proof);
}

void TextWriter::write_diff(const findings::Proof& proof) {
  for (const std::string& row : proof.diff) {
    std::string text = clip(printable(row), options_.width - 13);
    const char* color = row.starts_with('-') ? kRed : row.starts_with('+') ? kGreen : "";
    line("             " + (*color == '\0' ? text : paint(color, text)));
  }
}

void TextWriter::write_bisection(const findings::Bisection& bisection) {
  line(std::string(kRule));
  line(paint(kBold, fmt::format("HEALING {} MAKES THE OUTPUT RIGHT",
                                bisection.sites.size() == 1
                                    ? "ONE APPEND"
                                    : fmt::format("{} APPENDS", bisection.sites.size()))));
  line("");
  for (const findings::Bisection::Site& site : bisection.sites) {
    const Frame& frame = site.frame;
    line(fmt::format("  append in {} ({})  healed {}", printable(short_function(frame.function)),
                     place(frame), times(site.healed)));
    if (!frame.source.empty()) line("      " + clip(printable(frame.source), options_.width - 6));
  }
  line("");
  for (const findings::Bisection::Site& site : bisection.sites)
    line("  heal     " + heal_command(site.heal));
  write_proof(bisection.proof);
  line(fmt::format("  found in {} runs among {} appends that overwrote something", bisection.runs,
                   bisection.candidates));
  line(std::string(kRule));
}

void TextWriter::write_other_change(const findings::OtherChange& change) {
  const std::string how =
      change.condition.empty()
          ? change.sites.size() == 1 ? "with one append healed" : "with appends healed"
          : "under " + printable(change.condition);
  const std::string test = change.test.empty() ? "" : "in " + printable(change.test) + " ";
  line(fmt::format("geist: no finding: {}{} changes {}: {}", test, printable(change.proof.what),
                   how, printable(change.reason)));
  for (const findings::Bisection::Site& site : change.sites)
    line(fmt::format(
        "  append in {} ({}){}", printable(short_function(site.frame.function)), place(site.frame),
        site.frame.source.empty() ? ""
                                  : "  " + clip(printable(site.frame.source), kMaxNameColumn)));
  write_diff(change.proof);
}

// The changed lines alone: what stands around them is one look into the file away.
void TextWriter::write_patch(const Finding& finding) {
  std::optional<source::Patch> patch = source::read_patch(finding.fix_diff);
  if (!patch) return;
  const std::string indent(kFrameIndent, ' ');
  auto write = [&](char sign, const char* code, std::string_view lines) {
    while (!lines.empty()) {
      usize end = std::min(lines.find('\n'), lines.size());
      line(indent + paint(code, sign + printable(lines.substr(0, end))));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  };
  for (const auto& [number, change] : patch->replacements) {
    line(indent + fmt::format("{}:{}", printable(patch->path), number));
    for (u32 i = 0; i < change.removed; ++i) write('-', kRed, patch->old_lines.at(number + i));
    write('+', kGreen, change.text);
  }
}

std::string count_findings(const findings::Report& report) {
  if (report.findings.empty()) return count_in_words(report);
  std::string by_level;
  for (Level level :
       {Level::kProved, Level::kConfirmed, Level::kLikely, Level::kSuspect, Level::kLatent}) {
    auto same = std::count_if(report.findings.begin(), report.findings.end(),
                              [&](const Finding& f) { return f.level == level; });
    if (same != 0)
      by_level +=
          fmt::format("{}{} {}", by_level.empty() ? "" : ", ", same, findings::level_name(level));
  }
  return fmt::format("{} ({})", count_in_words(report), by_level);
}

// "wrong: 1 disarmed · lost: 3 ring full · left out: 12 thinned out": the worst first.
std::string count_lost(const findings::Report& report) {
  constexpr std::pair<findings::Severity, const char*> kKinds[] = {
      {findings::Severity::kError, "wrong: "},
      {findings::Severity::kLoss, "lost: "},
      {findings::Severity::kInfo, "left out: "}};
  std::string all;
  for (const auto& [severity, title] : kKinds) {
    std::string of_kind;
    for (const auto& [name, count] : report.lost) {
      if (count == 0 || findings::severity_of_loss(name) != severity) continue;
      std::string words = name;
      std::replace(words.begin(), words.end(), '_', ' ');
      of_kind += fmt::format("{}{} {}", of_kind.empty() ? title : ", ", count, printable(words));
    }
    if (!of_kind.empty()) all += (all.empty() ? "" : " · ") + of_kind;
  }
  return all;
}

// What the program and geist itself spent on it. A plain run is not known here: it is what is left
// of this one. Threads are taken as if they had waited one after another; where they did so beside
// each other for longer than the run took, that says nothing, and nor does a share of a run that is
// over at once.
std::string describe_overhead(const findings::Cost& cost) {
  constexpr double kTooShort = 0.5;
  if (cost.wall_s < kTooShort) return "";
  const double time = std::max(cost.wall_s, cost.program_cpu_s), added = cost.added_s();
  if (added <= 0 || added >= time) return "";
  auto percent = [](double share) {
    return fmt::format("{:.{}f}%", share * 100, share < 0.0995 ? 1 : 0);
  };
  return fmt::format(" · +{} run time, geist {} of a processor", percent(added / (time - added)),
                     percent(cost.monitor_cpu_s / cost.wall_s));
}

std::string format_seconds(double seconds) {
  return seconds < 0.9995 ? fmt::format("{:.0f} ms", seconds * 1000)
                          : fmt::format("{:.2f} s", seconds);
}

}  // namespace

std::string emit_sentence(const Finding& finding) {
  const findings::ClassWords& words = findings::words_of(finding);
  std::string place;
  if (!finding.append_stack.empty()) {
    const Frame& site = finding.append_stack.front();
    place = " in " + printable(short_function(site.function));
    if (!site.file.empty())
      place += fmt::format(" ({}:{})", printable(base_name(site.file)), site.line);
  }
  const bool is_latent = finding.level == Level::kLatent;
  std::string victim = is_latent                          ? describe_victim(finding.victim)
                       : finding.level == Level::kSuspect ? std::string(words.former_victim)
                                                          : std::string(words.victim);
  auto side = [&](usize index) {
    if (index >= finding.stacks.size() || finding.stacks[index].frames.empty())
      return std::string("somebody uses");
    const findings::Stack& stack = finding.stacks[index];
    auto own = std::ranges::find_if(
        stack.frames, [](const Frame& f) { return !is_standard_library(f.function); });
    const Frame& frame = own == stack.frames.end() ? stack.frames.front() : *own;
    return fmt::format("{} ({}:{}) {}", printable(short_function(frame.function)),
                       printable(base_name(frame.file)), frame.line, printable(stack.role));
  };
  if (!finding.stacks.empty()) victim = describe_victim(finding.victim);
  return fmt::format(fmt::runtime(is_latent ? words.would_happen : words.happened),
                     fmt::arg("first", side(0)), fmt::arg("second", side(1)),
                     fmt::arg("site", place), fmt::arg("index", finding.element_index),
                     fmt::arg("victim", victim), fmt::arg("operand", printable(finding.operand)));
}

std::string count_in_words(const findings::Report& report) {
  const findings::ClassWords& words = findings::words_of(report);
  const usize count = report.findings.size();
  if (count == 0 && !report.looked_at_appends()) return "no findings";
  return count == 0 ? fmt::format("no {}", words.many)
                    : fmt::format("{} {}", count, count == 1 ? words.one : words.many);
}

// "X in F" is a variable of F; F named like "f.func1" is a closure, which holds X itself.
std::string describe_victim(const findings::Victim& victim) {
  auto is_closure = [](const std::string& function) {
    usize at = function.rfind(".func");
    return at != std::string::npos &&
           function.find_first_not_of("0123456789.", at + 5) == std::string::npos;
  };
  std::string name = printable(victim.name);
  std::string function = printable(short_function(victim.function));
  if (const auto [variable, place] = findings::split_place(name); !place.empty()) {
    bool in_closure = victim.holder == findings::Holder::kHeap && is_closure(std::string(place));
    return fmt::format("variable {} {} {}", variable, in_closure ? "of the closure" : "in", place);
  }
  std::string type = victim.type.empty() ? "slice" : printable(victim.type);
  std::string where = function.empty() ? "" : (" of " + function);
  switch (victim.holder) {
    case findings::Holder::kGlobal:
      return name.empty() ? fmt::format("a global {}", type) : "global " + name;
    case findings::Holder::kHeap:
      // A path begins at a variable, and that is one of a function; what a path of a global begins
      // with says where it is.
      return name.empty() ? fmt::format("a {} in the heap", type)
                          : name + (function.empty() ? "" : " in " + function);
    case findings::Holder::kStack:
      if (!name.empty()) return "variable " + name + (function.empty() ? "" : " in " + function);
      return fmt::format("a {} on the stack{}", type, where);
    case findings::Holder::kRegister:
      if (!name.empty()) return "variable " + name + (function.empty() ? "" : " in " + function);
      return fmt::format("a {} in a register{}", type, where);
  }
  return type;
}

std::string emit_summary_line(const findings::Report& report) {
  std::string out = "geist: " + count_findings(report);
  if (!report.programs.empty()) {
    u64 processes = 0;
    for (const findings::ProgramRuns& program : report.programs) processes += program.processes;
    out += fmt::format(" · {} process{} of {} Go program{}", processes, processes == 1 ? "" : "es",
                       report.programs.size(), report.programs.size() == 1 ? "" : "s");
  }
  const findings::SiteCounts& sites = report.sites;
  // Of what is left alone since nobody could be harmed there is nothing to look up.
  const auto builders = sites.skipped.find("never_shared");
  u64 skipped = sites.total_skipped() - (builders == sites.skipped.end() ? 0 : builders->second);
  if (!report.looked_at_appends()) {
    out += " · looked for: ";
    for (const std::string& name : report.detectors)
      out += (&name == &report.detectors[0] ? "" : ", ") + printable(name);
    out += " (appends were not watched)";
  } else {
    out += fmt::format(" · {} of {} append sites probed", sites.probed, sites.probed + skipped);
  }
  if (skipped != 0 && report.looked_at_appends()) {
    out += fmt::format(", {} skipped", skipped);
    if (!report.target.command.empty() && report.programs.empty())
      out += fmt::format(" (geist sites {})", printable(report.target.command.front()));
  }
  if (!report.conditions.empty()) {
    out += " · under ";
    for (const std::string& text : report.conditions)
      out += (&text == &report.conditions[0] ? "" : ", ") + printable(text);
  }
  if (report.suppressed != 0) out += fmt::format(" · {} suppressed", report.suppressed);
  if (std::string lost = count_lost(report); !lost.empty()) out += " · " + lost;
  if (report.cost.parked_s >= 0.0005) {
    out += " · waited " + format_seconds(report.cost.parked_s);
    // Threads wait beside each other: their sum may exceed the time that passed.
    if (report.cost.wall_s >= report.cost.parked_s) {
      out += " of " + format_seconds(report.cost.wall_s);
    }
  }
  out += describe_overhead(report.cost);
  if (report.cost.stops != 0) {
    out += fmt::format(" · stopped {} time{}, p50 {:.1f} ms, p99 {:.1f} ms", report.cost.stops,
                       report.cost.stops == 1 ? "" : "s", report.cost.pause_p50_ms,
                       report.cost.pause_p99_ms);
  }
  return out;
}

// A program in which nothing was found may have appends that nobody could look at.
void TextWriter::write_plain_appends() {
  constexpr usize kMostNamed = 3;
  const auto& places = report_.sites.without_grow_path;
  if (places.empty()) return;
  std::string names;
  usize named = 0;
  for (const findings::PlaceInSource& at : places) {
    if (named++ == kMostNamed) break;
    names += fmt::format("{}{}:{}", names.empty() ? "" : ", ",
                         printable(short_file(at.file, report_.target, options_)), at.line);
  }
  if (places.size() > kMostNamed) names += fmt::format(" and {} more", places.size() - kMostNamed);
  line(
      fmt::format("geist: note: {} not watched, or in part only, for the compiler knew that there "
                  "is room, or a new array: {}; in a build with -gcflags=-N {} watched",
                  places.size() == 1 ? "1 append is" : fmt::format("{} appends are", places.size()),
                  names, places.size() == 1 ? "it is" : "they are"));
}

std::string emit_text(const findings::Report& report, const TextOptions& options) {
  TextWriter writer(report, options);
  for (const Finding& finding : report.findings) {
    if (!options.is_left_out || !options.is_left_out(finding)) writer.write_finding(finding);
  }
  if (options.only_findings) return writer.take();
  if (report.bisection) writer.write_bisection(*report.bisection);
  for (const findings::OtherChange& change : report.other_changes)
    writer.write_other_change(change);
  for (const std::string& note : report.notes) writer.line("geist: note: " + printable(note));
  for (const std::string& unused : report.unused_suppressions) {
    writer.line("geist: note: suppression matched nothing: " + printable(unused));
  }
  if (report.findings.empty()) writer.write_plain_appends();
  for (const auto& [name, section] : report.sections) {
    for (const std::string& line : describe_section(name, section, report.target, options))
      writer.line(line);
  }
  writer.line(emit_summary_line(report));
  return writer.take();
}

}  // namespace geist::report
