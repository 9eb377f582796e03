// See points.h. Functions by name for entries and returns, a scan of the text for calls, the inline
// trees for inlined bodies; then the pure part (point.h) for each, and what only the whole program
// tells: frames and how much stack is sure.
#include "program/points.h"

#include <algorithm>
#include <map>

#include "program/calls_to.h"
#include "program/inlined_bodies.h"
#include "program/stack_check.h"

namespace geist::program {
namespace {

constexpr u64 kReturnAddressBytes = 8;

class Finder {
 public:
  Finder(const read::GoBinary& binary, const PointRequest& request)
      : binary_(binary), request_(request), stack_room_(binary) {}

  FoundPoints find() {
    switch (request_.kind) {
      case PointKind::kEntry:
      case PointKind::kReturn:
        find_in_functions();
        break;
      case PointKind::kCall:
      case PointKind::kAfterCall:
        find_at_calls();
        break;
      case PointKind::kInlined:
        find_inlined();
        break;
    }
    if (found_.points.empty() && found_.refused.empty()) refuse_all();
    std::ranges::sort(found_.points, {}, &Point::at);
    return std::move(found_);
  }

 private:
  std::vector<read::Function> functions_named(std::string_view pattern) const;
  // Null when it does not decode. Good until the next one is asked for.
  const FunctionCode* code_of(const read::Function& function);
  void add(const read::Function& function, PointAnswer answer);
  void refuse(const read::Function& function, ImageAddr at, PointRefusal why) {
    found_.refused.push_back({request_.kind, function.index, at, why});
  }
  void find_in_functions();
  void find_at_calls();
  void add_call(const CallPlace& call);
  void find_inlined();
  void refuse_all();

  const read::GoBinary& binary_;
  const PointRequest& request_;
  StackRoom stack_room_;
  std::optional<FunctionCode> code_;  // of the function looked at last
  std::map<ImageAddr, x86::RegMask> live_at_entries_;
  FoundPoints found_;
};

std::vector<read::Function> Finder::functions_named(std::string_view pattern) const {
  std::vector<read::Function> functions;
  const read::Pclntab& all = binary_.pclntab();
  if (!pattern.ends_with('*')) {
    if (std::optional<read::Function> one = all.find_function_named(pattern))
      functions.push_back(*one);
    return functions;
  }
  for (u32 i = 0; i < all.function_count(); ++i) {
    read::Function function = all.function(read::FuncIndex{i});
    if (fits_pattern(function.name, pattern)) functions.push_back(function);
  }
  return functions;
}

const FunctionCode* Finder::code_of(const read::Function& function) {
  if (code_ && code_->function().entry == function.entry) return &*code_;
  code_.reset();
  if (std::optional<FunctionCode> code = FunctionCode::decode(binary_, function))
    code_.emplace(std::move(*code));
  return code_ ? &*code_ : nullptr;
}

void Finder::add(const read::Function& function, PointAnswer answer) {
  if (const RefusedPoint* refused = std::get_if<RefusedPoint>(&answer)) {
    found_.refused.push_back(*refused);
    return;
  }
  Point& point = std::get<Point>(answer);
  if (std::optional<i32> frame = binary_.pclntab().find_sp_delta(function, point.at))
    point.frame_bytes = *frame;
  point.stack_room = stack_room_.below(function, point.at);
  if (point.kind == PointKind::kCall) {  // the CALL has pushed its return address
    point.frame_bytes = 0;
    point.stack_room -= std::min(point.stack_room, kReturnAddressBytes);
  }
  found_.points.push_back(point);
}

void Finder::find_in_functions() {
  for (const read::Function& function : functions_named(request_.function)) {
    const FunctionCode* code = code_of(function);
    if (code == nullptr) {
      refuse(function, function.entry, PointRefusal::kNotDecoded);
    } else if (request_.kind == PointKind::kEntry) {
      add(function, entry_point(*code));
    } else {
      for (PointAnswer& answer : return_points(*code)) add(function, std::move(answer));
    }
  }
}

void Finder::find_at_calls() {
  std::vector<ImageAddr> entries;
  for (const read::Function& callee : functions_named(request_.callee)) {
    entries.push_back(callee.entry);
    live_at_entries_[callee.entry] = live_at_entry(code_of(callee));
  }
  for (const CallPlace& call : find_calls_to(binary_, entries)) {
    if (!call.jumps) add_call(call);
  }
  if (!entries.empty() && found_.points.empty() && found_.refused.empty())
    found_.refused.push_back({request_.kind, {}, {}, PointRefusal::kNoSuchCall});
}

void Finder::add_call(const CallPlace& call) {
  std::optional<read::Function> caller = binary_.pclntab().find_function(call.at);
  if (!caller) return;
  if (!request_.function.empty() && !fits_pattern(caller->name, request_.function)) return;
  const FunctionCode* code = code_of(*caller);
  if (code == nullptr) return refuse(*caller, call.at, PointRefusal::kNotDecoded);
  std::optional<u32> insn = code->find_insn(call.at);
  if (!insn || code->briefs()[*insn].flow != x86::Flow::kCall)
    return;  // inside another instruction
  add(*caller, request_.kind == PointKind::kCall
                   ? call_point(*code, *insn, live_at_entries_[call.target])
                   : after_call_point(*code, *insn));
}

void Finder::find_inlined() {
  for (const InlinedBody& body : find_inlined_bodies(binary_, request_.function)) {
    const read::Function function = binary_.pclntab().function(body.function);
    const FunctionCode* code = code_of(function);
    std::optional<u32> entry = code != nullptr ? find_body_entry(*code, body) : std::nullopt;
    if (code == nullptr)
      refuse(function, body.ranges[0].begin, PointRefusal::kNotDecoded);
    else if (!entry)
      refuse(function, body.ranges[0].begin, PointRefusal::kNoSingleEntry);
    else
      add(function, point_at(*code, *entry, PointKind::kInlined));
  }
}

// Nothing has that name: because all of it was inlined, or because it is not there.
void Finder::refuse_all() {
  const bool is_called =
      request_.kind == PointKind::kCall || request_.kind == PointKind::kAfterCall;
  const std::string& name = is_called ? request_.callee : request_.function;
  const bool is_inlined =
      request_.kind != PointKind::kInlined && !find_inlined_bodies(binary_, name).empty();
  found_.refused.push_back({request_.kind,
                            {},
                            {},
                            is_inlined ? PointRefusal::kOnlyInlined : PointRefusal::kNotInProgram});
}

}  // namespace

FoundPoints find_points(const read::GoBinary& binary, const PointRequest& request) {
  return Finder(binary, request).find();
}

}  // namespace geist::program
