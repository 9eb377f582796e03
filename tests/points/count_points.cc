// count_points REQUESTS RESULT [--enter | --roomy] BINARY [ARGUMENTS...]
// count_points REQUESTS RESULT --plan BINARY
//
// Runs a Go program with something at points of it, and ends as it ends. REQUESTS has a line for
// each request: KIND, FUNCTION ('-': any) and, for calls, CALLEE, by tabs. RESULT becomes a JSON
// line for each of them: how many points were found and planned, why others were not, how often
// they were passed. What runs there counts inline, or (--enter) enters the runtime, which counts;
// --roomy counts and, where growslice begins, asks it for another capacity.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "process/launch.h"
#include "program/points.h"

namespace {

using namespace geist;

constexpr int kUsage = 64, kFailed = 70;

struct Asked {
  std::string line;
  program::FoundPoints found;
  usize first = 0;  // in PlanOptions::points
};

struct Arguments {
  std::string requests, result, mode;
  std::vector<std::string> command;
};

std::optional<Arguments> read_arguments(std::vector<std::string> words) {
  if (words.size() < 3) return std::nullopt;
  Arguments arguments{words[0], words[1], "", {}};
  usize next = 2;
  if (words[next].starts_with("--")) arguments.mode = words[next++];
  arguments.command.assign(words.begin() + static_cast<i64>(next), words.end());
  if (arguments.command.empty()) return std::nullopt;
  return arguments;
}

std::optional<program::PointRequest> read_request(const std::string& line) {
  std::istringstream fields(line);
  std::string kind;
  program::PointRequest request;
  std::getline(fields, kind, '\t');
  std::getline(fields, request.function, '\t');
  std::getline(fields, request.callee, '\t');
  if (request.function == "-") request.function.clear();
  for (u8 k = 0; k <= static_cast<u8>(program::PointKind::kInlined); ++k) {
    request.kind = static_cast<program::PointKind>(k);
    if (kind == program::point_kind_name(request.kind)) return request;
  }
  return std::nullopt;
}

// growslice(oldPtr RAX, newLen RBX, oldCap RCX, num RDI, et RSI): what it makes of an old capacity
// of 2 * newLen + 4 is 4 * newLen + 8, for small lengths (runtime/slice.go nextslicecap).
probe::Primitive ask_for_room() {
  probe::Primitive primitive;
  primitive.uses = x86::bit(x86::kRbx) | x86::bit(x86::kRcx);
  primitive.emit = [](x86::Assembler& as, const probe::PrimitivePlace&) {
    as.lea(x86::kRcx, {.base = x86::kRbx, .index = x86::kRbx, .disp = 4});
  };
  return primitive;
}

void add_probes(const Asked& asked, const std::string& mode, probe::PlanOptions& options) {
  for (const program::Point& point : asked.found.points) {
    options.points.push_back(
        {point, mode == "--enter" ? probe::enter_runtime() : probe::count_passes()});
  }
}

std::string describe(const Asked& asked, const probe::PatchPlan& plan,
                     const std::vector<u64>& passes) {
  std::map<std::string_view, u64> refused;
  u64 passed = 0, planned = 0;
  for (const program::RefusedPoint& point : asked.found.refused)
    ++refused[program::refusal_name(point.why)];
  for (usize i = asked.first; i < asked.first + asked.found.points.size(); ++i) {
    if (plan.points[i].refused) {
      ++refused[program::refusal_name(*plan.points[i].refused)];
      continue;
    }
    ++planned;
    passed += passes.empty() ? 0 : passes[i];
  }
  std::string reasons;
  for (const auto& [reason, count] : refused)
    reasons += fmt::format("{}\"{}\": {}", reasons.empty() ? "" : ", ", reason, count);
  std::string request = asked.line;
  for (char& c : request) c = c == '\t' ? ' ' : c;
  return fmt::format(
      "{{\"request\": \"{}\", \"points\": {}, \"refused\": {{{}}}, \"passes\": {}}}\n", request,
      planned, reasons, passed);
}

int fail(const std::string& what) {
  fmt::print(stderr, "count_points: {}\n", what);
  return kFailed;
}

bool write_result(const std::string& path, const std::vector<Asked>& all,
                  const probe::PatchPlan& plan, const std::vector<u64>& passes) {
  std::ofstream out(path);
  for (const Asked& asked : all) out << describe(asked, plan, passes);
  return out.good();
}

// As the program ended: with its code, or by its signal.
int end_like(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return kFailed;
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + WTERMSIG(status);
}

int run(const read::GoBinary& binary, const Arguments& arguments, const std::vector<Asked>& all,
        probe::PlanOptions options) {
  process::LaunchRequest request;
  request.path = arguments.command[0];
  request.command = arguments.command;
  request.plan = std::move(options);
  ::sigemptyset(&request.signal_mask);
  sites::SiteTable none;
  auto launched = process::launch(binary, none, request);
  if (!launched.ok()) return fail(launched.error().message());
  const process::ProbedProcess& probed = *launched.value();
  for (int signal : {SIGINT, SIGTERM, SIGQUIT}) ::signal(signal, SIG_IGN);
  const int code = end_like(probed.pid);
  const probe::PatchPlan& plan = probed.plan;
  std::vector<u64> passes;
  for (const probe::PlannedPoint& point : plan.points)
    passes.push_back(point.refused ? 0 : probed.ring.passes(point.record));
  return write_result(arguments.result, all, plan, passes) ? code : fail("cannot write the result");
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<Arguments> arguments = read_arguments({argv + 1, argv + argc});
  if (!arguments) return kUsage;
  auto opened = read::GoBinary::open(arguments->command[0]);
  if (!opened.ok()) return fail(opened.error().message());
  const read::GoBinary& binary = *opened.value();
  std::vector<Asked> all;
  probe::PlanOptions options;
  options.with_hooks = false;
  std::ifstream lines(arguments->requests);
  for (std::string line; std::getline(lines, line);) {
    std::optional<program::PointRequest> request = read_request(line);
    if (!request) return fail("no request: " + line);
    all.push_back({line, program::find_points(binary, *request), options.points.size()});
    add_probes(all.back(), arguments->mode, options);
  }
  if (arguments->mode == "--roomy") {
    for (const program::Point& point :
         program::find_points(binary, {program::PointKind::kEntry, "runtime.growslice", ""}).points)
      options.points.push_back({point, ask_for_room()});
  }
  if (arguments->mode != "--plan") return run(binary, *arguments, all, std::move(options));
  sites::SiteTable none;
  const probe::PatchPlan plan = probe::plan_anywhere(binary, none, options);
  return write_result(arguments->result, all, plan, {}) ? 0 : fail("cannot write the result");
}
