// The findings as a profile, so that `go tool pprof` shows where appends overwrite: one sample a
// finding, its stack the append's, its value how often it was seen. level, victim and fingerprint
// are labels (`pprof -tagfocus`).
//
// profile.proto (github.com/google/pprof, proto/profile.proto) is small enough to be written by
// hand: a message is a list of (field number << 3 | wire type, value), strings live in one table
// whose first entry is "". Frames that were inlined into the next one share its Location, as pprof
// wants it.
#include <zlib.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/text.h"
#include "findings/classes.h"
#include "report/report.h"

namespace geist::report {
namespace {

using findings::Finding;
using findings::Frame;

constexpr u32 kVarint = 0, kBytes = 2;  // wire types

class Message {
 public:
  void add(u32 field, u64 number) {
    if (number == 0) return;  // proto3: the default is left out
    put_key(field, kVarint);
    put(number);
  }
  void add(u32 field, std::string_view bytes) {
    put_key(field, kBytes);
    put(bytes.size());
    out_ += bytes;
  }
  void add(u32 field, const Message& inner) { add(field, std::string_view(inner.out_)); }
  const std::string& bytes() const { return out_; }

 private:
  void put_key(u32 field, u32 wire_type) { put(u64{field} << 3 | wire_type); }
  void put(u64 number) {
    for (; number >= 0x80; number >>= 7) out_.push_back(static_cast<char>(number | 0x80));
    out_.push_back(static_cast<char>(number));
  }
  std::string out_;
};

class ProfileWriter {
 public:
  std::string write(const findings::Report& report);

 private:
  u64 string_id(const std::string& text);
  u64 function_id(const Frame& frame);
  u64 location_id(const Frame* frames, usize count);
  Message value_type(const std::string& name);
  Message sample(const Finding& finding);
  void add_label(Message* sample, const char* key, const std::string& value);

  // Order of first use; ids begin at 1 but for strings, whose 0 is "".
  std::map<std::string, u64> strings_;
  std::map<std::string, u64> functions_;
  std::map<std::string, u64> locations_;
  std::vector<std::string> string_table_;
  Message tables_;  // Location and Function messages
};

u64 ProfileWriter::string_id(const std::string& text) {
  auto [it, is_new] = strings_.emplace(text, string_table_.size());
  if (is_new) string_table_.push_back(printable(text));  // strings of a proto are UTF-8
  return it->second;
}

u64 ProfileWriter::function_id(const Frame& frame) {
  std::string key = frame.function + '\0' + frame.file;
  auto [it, is_new] = functions_.emplace(key, functions_.size() + 1);
  if (is_new) {
    Message function;
    function.add(1, it->second);
    function.add(2, string_id(frame.function));
    function.add(3, string_id(frame.function));  // system_name
    function.add(4, string_id(frame.file));
    tables_.add(5, function);
  }
  return it->second;
}

// One place of the stack: the inlined frames and the function they are in, innermost first.
u64 ProfileWriter::location_id(const Frame* frames, usize count) {
  Message lines;
  for (usize i = 0; i < count; ++i) {
    Message line;
    line.add(1, function_id(frames[i]));
    line.add(2, static_cast<u64>(std::max(frames[i].line, 0)));
    lines.add(4, line);
  }
  auto [it, is_new] = locations_.emplace(lines.bytes(), locations_.size() + 1);
  if (is_new) {
    Message location;
    location.add(1, it->second);
    location.add(2, u64{1});  // the only mapping
    std::string bytes = location.bytes() + lines.bytes();
    tables_.add(4, std::string_view(bytes));
  }
  return it->second;
}

Message ProfileWriter::value_type(const std::string& name) {
  Message type;
  type.add(1, string_id(name));
  type.add(2, string_id("count"));
  return type;
}

void ProfileWriter::add_label(Message* sample, const char* key, const std::string& value) {
  if (value.empty()) return;
  Message label;
  label.add(1, string_id(key));
  label.add(2, string_id(value));
  sample->add(3, label);
}

Message ProfileWriter::sample(const Finding& finding) {
  Message sample;
  const std::vector<Frame>& stack = finding.append_stack;
  for (usize begin = 0; begin < stack.size();) {
    usize end = begin;
    while (end + 1 < stack.size() && stack[end].inlined) ++end;
    sample.add(1, location_id(&stack[begin], end + 1 - begin));
    begin = end + 1;
  }
  sample.add(2, finding.count);
  add_label(&sample, "level", std::string(findings::level_name(finding.level)));
  add_label(&sample, "rule", finding.rule);
  add_label(&sample, "victim",
            finding.victim.name.empty() ? finding.victim.type : finding.victim.name);
  add_label(&sample, "fingerprint", finding.fingerprint);
  return sample;
}

std::string ProfileWriter::write(const findings::Report& report) {
  string_id("");
  // "ghost_writes"
  std::string name(findings::words_of(report).many);
  std::ranges::replace(name, ' ', '_');
  Message profile;
  profile.add(1, value_type(name));
  for (const Finding& finding : report.findings) profile.add(2, sample(finding));
  // Says that names are complete, so that pprof does not go and look for the binary.
  Message mapping;
  mapping.add(1, u64{1});
  mapping.add(5, string_id(report.target.binary));
  mapping.add(6, string_id(report.target.build_id));
  for (u32 has_functions = 7; has_functions <= 10; ++has_functions)
    mapping.add(has_functions, u64{1});
  profile.add(3, mapping);
  std::string bytes = profile.bytes() + tables_.bytes();
  Message rest;
  rest.add(14, string_id(name));  // default_sample_type
  for (const std::string& text : string_table_) rest.add(6, std::string_view(text));
  return bytes + rest.bytes();
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipWindow =
      15 + 16;  // zlib.h: "add 16 to windowBits to write a simple gzip header"
  GEIST_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    std::string_view chunk = bytes.substr(0, 1 << 16);
    bytes.remove_prefix(chunk.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
    stream.avail_in = static_cast<uInt>(chunk.size());
    do {
      char buffer[1 << 14];
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
      GEIST_CHECK(status != Z_STREAM_ERROR);
      out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string emit_pprof(const findings::Report& report) {
  return gzip(ProfileWriter().write(report));
}

}  // namespace geist::report
