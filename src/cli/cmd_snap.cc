// geist snap: image, graph, question, answer. The pause of the process is over before the graph is
// begun, unless --stop asks otherwise.
#include "cli/cmd_snap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/print.h"
#include "run/heap_source.h"
#include "snap/hold_tree.h"
#include "snap/json.h"
#include "snap/text.h"

namespace geist::cli {
namespace {

using Answer = Result<std::string>;

struct Asked {
  const SnapOptions& options;
  const run::HeapSource& source;
  const snap::Snapshot& snapshot() const { return source.snapshot(); }
  u64 most() const { return options.json ? ~u64{0} : options.most; }
};

template <typename Rows>
std::string show(const Asked& asked, const Rows& rows, const std::string& text) {
  return asked.options.json ? snap::json_of(rows) : text;
}

Answer answer_summary(const Asked& asked) {
  const run::HeapSource& source = asked.source;
  if (asked.options.json) {
    return snap::json_of_summary(asked.snapshot(), source.go(), source.pause_ms());
  }
  snap::SummaryFacts facts{.target = source.name(), .go = source.go()};
  return snap::emit_summary(asked.snapshot(), facts);
}

Answer answer_types(const Asked& asked) {
  auto rows = snap::list_types(asked.snapshot());
  return show(asked, rows, snap::emit_types(rows, asked.most()));
}

Answer answer_tree(const Asked& asked) {
  constexpr u32 kDepth = 12;
  u64 floor = std::max(asked.options.min_bytes, asked.snapshot().graph.stats().reached_bytes / 200);
  auto rows = snap::list_tree(asked.snapshot(), floor, kDepth);
  return show(asked, rows, snap::emit_tree(rows));
}

Answer answer_path(const Asked& asked) {
  GEIST_TRY(rows, snap::find_paths(asked.snapshot(), asked.options.what, asked.options.most));
  return show(asked, rows, snap::emit_paths(rows));
}

Answer answer_sharing(const Asked& asked) {
  auto answer = snap::find_sharing(asked.snapshot(), asked.most());
  return show(asked, answer, snap::emit_sharing(answer));
}

Answer answer_pins(const Asked& asked) {
  auto rows =
      snap::find_pins(asked.snapshot(), asked.options.min_bytes, asked.options.share_percent);
  return show(asked, rows, snap::emit_pins(rows, asked.most()));
}

Answer answer_rings(const Asked& asked) {
  auto answer = snap::find_rings(asked.snapshot(), asked.most());
  return show(asked, answer, snap::emit_rings(answer));
}

Answer answer_goroutines(const Asked& asked) {
  auto rows = snap::list_goroutines(asked.snapshot());
  return show(asked, rows, snap::emit_goroutines(rows, asked.most()));
}

run::SourceOptions source_options(const SnapOptions& options) {
  return {.binary = options.binary,
          .stop = options.stop,
          .assume_go_minor = options.assume_go_minor,
          .say = say};
}

snap::DiffSide side_of(const snap::Snapshot& snapshot) {
  return {.types = snap::list_types(snapshot), .tree = snap::make_hold_tree(snapshot)};
}

Answer answer_diff(const Asked& asked) {
  snap::DiffSide before = side_of(asked.snapshot());
  GEIST_TRY(other, run::HeapSource::open(asked.options.what, source_options(asked.options)));
  snap::DiffAnswer answer = snap::compare(before, side_of(other->snapshot()));
  return show(asked, answer, snap::emit_diff(answer, asked.most()));
}

Answer answer_export(const Asked& asked) {
  snap::HoldTree tree = snap::make_hold_tree(asked.snapshot());
  const std::string& format = asked.options.format;
  if (format == "pprof") return snap::emit_pprof(tree);
  if (format == "dot") return snap::emit_dot(tree);
  if (format == "html") return snap::emit_html(tree, "geist snap of " + asked.source.name());
  return snap::emit_heap_json(tree);
}

struct Question {
  const char* name;
  const char* wants;  // what must stand behind it; null: nothing
  Answer (*answer)(const Asked&);
};
constexpr std::array kQuestions = {
    Question{"", nullptr, answer_summary},
    Question{"types", nullptr, answer_types},
    Question{"tree", nullptr, answer_tree},
    Question{"path", "an address or a type", answer_path},
    Question{"sharing", nullptr, answer_sharing},
    Question{"pins", nullptr, answer_pins},
    Question{"rings", nullptr, answer_rings},
    Question{"goroutines", nullptr, answer_goroutines},
    Question{"diff", "a second process or core", answer_diff},
    Question{"export", nullptr, answer_export},
};

const Question* find_question(const std::string& name) {
  auto found = std::ranges::find_if(kQuestions, [&](const Question& q) { return name == q.name; });
  return found == kQuestions.end() ? nullptr : &*found;
}

// Fails when the question is unknown, or misses its WHAT. `operands` were given in all.
Status check_question(const SnapOptions& options, usize operands) {
  const Question* question = find_question(options.question);
  if (question == nullptr) {
    std::vector<std::string> names;
    for (const Question& known : kQuestions) names.emplace_back(known.name);
    names.erase(names.begin());
    return Error(fmt::format("unknown question \"{}\"; known: {}", options.question,
                             fmt::join(names, ", ")));
  }
  if (question->wants != nullptr && options.what.empty()) {
    return Error(fmt::format("{} needs {}", question->name, question->wants));
  }
  usize most = question->wants != nullptr ? 3 : 2;
  if (operands > most) return Error("there is one question at a time");
  return Done{};
}

}  // namespace

Result<SnapOptions> make_snap_options(const ParsedFlags& parsed) {
  SnapOptions options;
  options.target = parsed.operands.front();
  if (parsed.operands.size() > 1) options.question = parsed.operands[1];
  if (parsed.operands.size() > 2) options.what = parsed.operands[2];
  GEIST_TRY_STATUS(check_question(options, parsed.operands.size()));
  options.most = static_cast<u64>(parsed.number("top"));
  options.min_bytes = static_cast<u64>(parsed.number("min"));
  options.share_percent = static_cast<u32>(parsed.number("share"));
  options.format = parsed.value("as");
  options.binary = parsed.value("binary");
  options.save = parsed.value("save");
  options.json = parsed.has("json");
  options.stop = parsed.has("stop");
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  return options;
}

int cmd_snap(const SnapOptions& options) {
  run::SourceOptions source_of = source_options(options);
  source_of.save = options.save;
  auto source = run::HeapSource::open(options.target, source_of);
  if (!source.ok()) return fail(source.error());
  Answer answer = find_question(options.question)->answer({options, *source.value()});
  if (!answer.ok()) return fail(answer.error());
  const bool is_data = options.json || options.question == "export";
  const bool is_written =
      is_data ? print_data(answer.value()) : print_out(printable_lines(answer.value()));
  return is_written ? to_int(ExitCode::kOk)
                    : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace geist::cli
