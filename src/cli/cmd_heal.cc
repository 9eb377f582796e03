// geist heal: start the program with some appends healed, nothing watched, and wait for its end.
#include "cli/cmd_heal.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/report_output.h"
#include "probe/heal_choice.h"
#include "report/report.h"
#include "run/attaching.h"
#include "run/child_signals.h"
#include "run/heal_names.h"
#include "run/program_path.h"
#include "run/refuse_sanitized.h"
#include "sites/cache.h"

namespace geist::cli {
namespace {

// What was asked for by name. Fails before anything runs.
Result<std::vector<std::string>> names_to_heal(const HealOptions& options) {
  if (options.report_path.empty()) return options.sites;
  GEIST_TRY(report, read_report_file(options.report_path));
  auto names = run::name_findings(report, options.sites);
  if (!names.ok()) return names.take_error().in(options.report_path);
  return names;
}

std::vector<std::string> describe_refused(const probe::HealChoice& choice) {
  std::vector<std::string> out;
  for (const std::string& note : choice.notes) out.push_back("note: " + note);
  u64 total = 0;
  std::string reasons;
  for (const auto& [reason, count] : choice.refused) {
    total += count;
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, reason);
  }
  if (total != 0 && choice.notes.empty()) {
    out.push_back(
        fmt::format("note: appends that cannot be healed: {} (geist sites says more)", reasons));
  }
  return out;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    print_err(printable_lines(fmt::format("geist: {}\n", printable(line))));
}

probe::PlanOptions only_heal(const probe::HealChoice& choice) {
  probe::PlanOptions plan;
  plan.modes = choice.modes;
  plan.only_healed = true;
  plan.with_hooks = false;
  return plan;
}

// Until the time is over, a signal comes or the process has ended. The heartbeat tells another
// geist that we are here.
void stay(process::Attachment& attachment, const run::EndSignals& signals,
          std::optional<double> for_s) {
  constexpr int kTurnMs = 50;
  const auto start = std::chrono::steady_clock::now();
  auto is_time_over = [&] {
    return for_s &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() >=
               *for_s;
  };
  while (!attachment.is_over() && !signals.came() && !is_time_over()) {
    attachment.process().ring.beat();
    signals.wait(kTurnMs);
  }
}

// Sites that could not be healed because something stood in their code at each stop.
std::string describe_left_out(const sites::Refused& refused, const probe::HealChoice& choice) {
  u64 count = 0;
  for (const auto& [call, bucket] : refused) count += choice.modes.contains(call) ? 1 : 0;
  return count == 0 ? "" : fmt::format("note: {} of the appends could not be patched now", count);
}

// geist heal --pid: the same on a process that runs already, and goes on as it was.
int heal_process(const HealOptions& options, const std::vector<std::string>& names) {
  Result<run::FoundProcess> process = run::find_process(options.process);
  if (!process.ok()) return fail(process.error());
  auto binary = run::open_program(process.value(), options.assume_go_minor);
  if (!binary.ok()) return fail(binary.error());
  sites::SiteCache cache(options.no_cache ? "" : sites::SiteCache::default_folder());
  const sites::SiteTable sites =
      cache.find_or_search(*binary.value(), std::thread::hardware_concurrency());
  auto choice = probe::choose_healed_sites(*binary.value(), sites, names, options.always);
  if (!choice.ok()) return fail(choice.error());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return fail(symbols.error());

  // Patch it. When this returns the process runs, healed, and nobody traces it.
  run::EndSignals signals;
  process::AttachRequest request;
  request.pid = process->thread;
  request.plan = only_heal(choice.value());
  request.find_standing = run::find_standing_in(process->thread, *binary.value(), symbols.value());
  auto attached = process::Attachment::attach(*binary.value(), sites, request);
  if (!attached.ok()) return fail(attached.error());
  process::Attachment& attachment = *attached.value();
  cache.save();
  if (!options.quiet) {
    print_lines({fmt::format("healing process {} ({}){}", process->pid, process->name,
                             options.for_s ? "" : "; Ctrl-C ends it")});
  }
  stay(attachment, signals, options.for_s);

  // Leave it as it was.
  Status left = attachment.detach();
  if (!left.ok())
    return fail(std::move(left).take_error().in("the code of the process could not be restored"));
  if (options.quiet) return to_int(ExitCode::kOk);
  print_lines(describe_refused(choice.value()));
  if (std::string note = describe_left_out(attachment.process().plan.refused, choice.value());
      !note.empty())
    print_lines({note});
  print_lines(run::describe_healing(*binary.value(), attachment.process()));
  return to_int(ExitCode::kOk);
}

}  // namespace

int cmd_heal(const HealOptions& options) {
  Result<std::vector<std::string>> names = names_to_heal(options);
  if (!names.ok()) return fail(names.error());
  if (!options.process.empty()) return heal_process(options, names.value());

  // The program, as a file and as a Go binary, and its append sites.
  Result<run::Program> program = run::resolve_program(options.command[0]);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  if (Status status = run::refuse_sanitized(*binary.value()); !status.ok())
    return fail(status.error());
  sites::SiteCache cache(options.no_cache ? "" : sites::SiteCache::default_folder());
  const sites::SiteTable sites =
      cache.find_or_search(*binary.value(), std::thread::hardware_concurrency());
  auto choice = probe::choose_healed_sites(*binary.value(), sites, names.value(), options.always);
  if (!choice.ok()) return fail(choice.error());

  // Only the healed sites are touched. From here on the program does not need geist any more.
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  process::LaunchRequest request;
  request.path = program->path;
  request.command = options.command;
  request.signal_mask = signals->child_mask();
  request.plan = only_heal(choice.value());
  auto process = process::launch(*binary.value(), sites, request);
  if (!process.ok()) return fail(process.error());
  signals->child_started();
  cache.save();
  run::ExitStatus exit = run::wait_for_exit(process.value()->pid, signals.value());

  if (!options.quiet) {
    print_lines(describe_refused(choice.value()));
    print_lines(run::describe_healing(*binary.value(), *process.value()));
  }
  program->built = run::BuiltProgram();  // its folder: a signal leaves no time for that
  if (exit.signal) die_of(*exit.signal, signals.value());
  return exit.code;
}

}  // namespace geist::cli
