// Names as a person reads them: files relative to where their reader stands.
//
//   /home/u/go/pkg/mod/github.com/x/y@v1.2.0/z/a.go  ->  z/a.go
//   /usr/local/go/src/fmt/print.go                   ->  fmt/print.go
#include <fmt/format.h>

#include "base/text.h"
#include "report/report.h"

namespace geist::report {
namespace {

std::string times(u64 count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

}  // namespace

std::optional<std::string> find_rest(const std::string& path, std::string directory) {
  while (!directory.empty() && directory.back() == '/') directory.pop_back();
  if (directory.empty() || path.size() <= directory.size() + 1) return std::nullopt;
  if (path.compare(0, directory.size(), directory) != 0 || path[directory.size()] != '/')
    return std::nullopt;
  return path.substr(directory.size() + 1);
}

std::string short_file(const std::string& file, const findings::Target& target,
                       const TextOptions& options) {
  if (auto rest = find_rest(file, options.strip_path_prefix)) return *rest;
  if (auto rest = find_rest(file, target.module_dir_hint)) return *rest;
  if (!target.goroot.empty()) {
    if (auto rest = find_rest(file, target.goroot + "/src")) return *rest;
  }
  // A dependency: everything up to ".../name@version/" is its module root, with and without
  // -trimpath.
  usize at = file.rfind('@');
  if (at != std::string::npos) {
    usize slash = file.find('/', at);
    if (slash != std::string::npos && slash + 1 < file.size()) return file.substr(slash + 1);
  }
  // The main module built with -trimpath.
  if (auto rest = find_rest(file, target.module)) return *rest;
  return file;
}

std::string describe_length(const findings::Victim& victim) {
  return victim.len != 0 ? fmt::format("len {}", victim.len) : "length not known";
}

std::string emit_proof_sentence(const findings::Proof& proof) {
  std::string where = printable(proof.what);
  if (proof.line != 0) where += fmt::format(" line {}", proof.line);
  const std::string how = proof.condition.empty() ? "healed " + times(proof.healed_count)
                                                  : "under " + printable(proof.condition);
  std::string out = fmt::format("{}, {} changed in {} of {} runs and never in {} plain ones", how,
                                where, proof.healed_runs, proof.healed_runs, proof.plain_runs);
  if (proof.restored_runs != 0)
    out += fmt::format("; with this append healed it is as before, in {} of {}",
                       proof.restored_runs, proof.restored_runs);
  return out;
}

std::string emit_sleeping_sentence(const findings::Finding& finding) {
  if (finding.condition.empty()) return "";
  if (finding.rule == "GB001")
    return fmt::format("sleeps: seen only under {}, not in a run as it is",
                       printable(finding.condition));
  return "sleeps: right today, wrong when append gives more room: another Go release or one more "
         "element is enough";
}

}  // namespace geist::report
