// Point: one place in a program's code where something of ours can run, whatever the code there is
// about. Append sites (append_sites.h) are points with a branch of their own and more to know.
//
//   kind        the machine is as it is …                    values by Go's register ABI (go_abi.h)
//   kEntry      before the body, after the stack check        arguments; DX is the closure
//   kReturn     before a RET                                  results
//   kAfterCall  where a CALL of a function returns to         the called one's results
//   kCall       at the entry of what a CALL calls             its arguments
//   kInlined    before an inlined body's first instruction    as the code has them
//
// One rule for all of them: what runs at a point sees every register, the flags and the stack as
// they are before the instruction `at` is executed (kCall: after it), and leaves them so.
#pragma once

#include <string_view>
#include <variant>

#include "program/displace.h"
#include "read/go/pclntab.h"
#include "x86/insn.h"

namespace geist::program {

enum class PointKind : u8 { kEntry, kReturn, kAfterCall, kCall, kInlined };
std::string_view point_kind_name(PointKind kind);

// Names and help texts in point_refusals.inc.
enum class PointRefusal : u8 {
#define GEIST_POINT_REFUSAL(name, text, help) k##name,
#include "program/point_refusals.inc"
#undef GEIST_POINT_REFUSAL
};
std::string_view refusal_name(PointRefusal refusal);
std::string_view refusal_help(PointRefusal refusal);

struct Point {
  PointKind kind = PointKind::kEntry;
  read::FuncIndex function;  // whose code it is in
  ImageAddr at;
  Displaced displaced;    // what gives way to a jump; kCall: the CALL, which stays one
  ImageAddr target;       // kCall, kAfterCall: the called function's entry
  x86::RegMask live = 0;  // registers and flags whose values may be used after it
  i64 frame_bytes = -1;   // from SP at the point to the word with the return address; -1: not known
  u64 stack_room = 0;     // bytes below SP that are sure to be there
};

struct RefusedPoint {
  PointKind kind = PointKind::kEntry;
  read::FuncIndex function;
  ImageAddr at;  // 0: there is no such place
  PointRefusal why = PointRefusal::kNoRoom;
};

using PointAnswer = std::variant<Point, RefusedPoint>;

// The pure part: of one function's code, without the program around it. frame_bytes and stack_room
// are left as they are. `at` and `call` are instructions of it.
PointAnswer entry_point(const FunctionCode& code);
// One answer for each RET and each jump out of the function, by address; at least one.
std::vector<PointAnswer> return_points(const FunctionCode& code);
PointAnswer after_call_point(const FunctionCode& code, u32 call);
// `callee_live`: what the called function may read at its entry.
PointAnswer call_point(const FunctionCode& code, u32 call, x86::RegMask callee_live);
PointAnswer point_at(const FunctionCode& code, u32 at, PointKind kind);
// Registers and flags that may be read at the entry; all of them in what is not decoded (null).
x86::RegMask live_at_entry(const FunctionCode* code);

}  // namespace geist::program
