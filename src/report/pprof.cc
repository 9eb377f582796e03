// The findings as a profile, so that `go tool pprof` shows where appends overwrite: one sample a
// finding, its stack the append's, its value how often it was seen. level, victim and fingerprint
// are labels (`pprof -tagfocus`).
//
// Frames that were inlined into the next one share its Location, as pprof wants it.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "findings/classes.h"
#include "profile/writer.h"
#include "report/report.h"

namespace geist::report {
namespace {

using findings::Finding;
using findings::Frame;

using profile::Message;
namespace field = profile::field;

class ProfileWriter {
 public:
  std::string write(const findings::Report& report);

 private:
  u64 string_id(const std::string& text);
  u64 function_id(const Frame& frame);
  u64 location_id(const Frame* frames, usize count);
  Message sample(const Finding& finding);
  void add_label(Message* sample, const char* key, const std::string& value);

  profile::StringTable strings_;
  // Ids by order of first use, from 1 on.
  std::map<std::string, u64> functions_;
  std::map<std::string, u64> locations_;
  Message tables_;  // Location and Function messages
};

u64 ProfileWriter::string_id(const std::string& text) {
  return strings_.id(printable(text));  // strings of a proto are UTF-8
}

u64 ProfileWriter::function_id(const Frame& frame) {
  std::string key = frame.function + '\0' + frame.file;
  auto [it, is_new] = functions_.emplace(key, functions_.size() + 1);
  if (is_new) {
    Message function;
    function.add(field::kFunctionId, it->second);
    function.add(field::kName, string_id(frame.function));
    function.add(field::kSystemName, string_id(frame.function));
    function.add(field::kFileName, string_id(frame.file));
    tables_.add(field::kFunction, function);
  }
  return it->second;
}

// One place of the stack: the inlined frames and the function they are in, innermost first.
u64 ProfileWriter::location_id(const Frame* frames, usize count) {
  Message lines;
  for (usize i = 0; i < count; ++i) {
    Message line;
    line.add(field::kFunctionOf, function_id(frames[i]));
    line.add(field::kLineNumber, static_cast<u64>(std::max(frames[i].line, 0)));
    lines.add(field::kLine, line);
  }
  auto [it, is_new] = locations_.emplace(lines.bytes(), locations_.size() + 1);
  if (is_new) {
    Message location;
    location.add(field::kLocationId, it->second);
    location.add(field::kMappingOf, u64{1});  // the only mapping
    location.append(lines);
    tables_.add(field::kLocation, location);
  }
  return it->second;
}

void ProfileWriter::add_label(Message* sample, const char* key, const std::string& value) {
  if (value.empty()) return;
  Message label;
  label.add(field::kKey, string_id(key));
  label.add(field::kText, string_id(value));
  sample->add(field::kLabel, label);
}

Message ProfileWriter::sample(const Finding& finding) {
  Message sample;
  const std::vector<Frame>& stack = finding.append_stack;
  for (usize begin = 0; begin < stack.size();) {
    usize end = begin;
    while (end + 1 < stack.size() && stack[end].inlined) ++end;
    sample.add(field::kLocationIds, location_id(&stack[begin], end + 1 - begin));
    begin = end + 1;
  }
  sample.add(field::kValues, finding.count);
  add_label(&sample, "level", std::string(findings::level_name(finding.level)));
  add_label(&sample, "rule", finding.rule);
  add_label(&sample, "victim",
            finding.victim.name.empty() ? finding.victim.type : finding.victim.name);
  add_label(&sample, "fingerprint", finding.fingerprint);
  if (finding.stacks.size() > 1 && !finding.stacks[1].frames.empty())
    add_label(&sample, "other_side", finding.stacks[1].frames[0].function);
  return sample;
}

std::string ProfileWriter::write(const findings::Report& report) {
  // "ghost_writes"
  std::string name(findings::words_of(report).many);
  std::ranges::replace(name, ' ', '_');
  Message out;
  out.add(field::kSampleType, profile::value_type(strings_, name, "count"));
  for (const Finding& finding : report.findings) out.add(field::kSample, sample(finding));
  // Says that names are complete, so that pprof does not go and look for the binary.
  Message mapping;
  mapping.add(field::kMappingId, u64{1});
  mapping.add(field::kFile, string_id(report.target.binary));
  mapping.add(field::kBuildId, string_id(report.target.build_id));
  for (u32 has = field::kHasFunctions; has <= field::kHasInlineFrames; ++has)
    mapping.add(has, u64{1});
  out.add(field::kMapping, mapping);
  out.append(tables_);
  out.add(field::kDefaultSampleType, string_id(name));
  strings_.write(&out);
  return out.take();
}

}  // namespace

std::string emit_pprof(const findings::Report& report) {
  return profile::gzip(ProfileWriter().write(report));
}

}  // namespace geist::report
