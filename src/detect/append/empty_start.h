// Began the slice that is appended to empty, x[:0], whatever was appended to it since? Then its array
// is filled again from its start, and who reads it through x may be meant to.
//
//   out := x[:0]; for … { out = append(out, v) }      in the append's own function
//   fill(x[:0])                                       its caller began it: fill appends to a parameter
//   out := x[:0]; out = strconv.AppendInt(out, n, 10) a callee appends and gives it back
//   var out []T; for … { out = append(out, v) }       no: this array was nobody's before
#pragma once

#include <map>
#include <set>
#include <span>

#include "judge/append.h"
#include "judge/view.h"
#include "program/write_cursor.h"

namespace geist::detect::append {

// A caller that began it further up the stack is not asked.
inline constexpr usize kMaxCallers = 4;

class EmptyStart {
 public:
  EmptyStart(judge::Context& context, const judge::Append& append, const program::CallUse& calls);
  bool was_empty();
  // By frame of the append: the blocks where it began.
  const std::set<u32>& blocks(usize frame) { return blocks_[frame]; }

 private:
  enum class Begin : u8 { kEmpty, kOther, kNone };  // kNone: what there is comes from appends
  Begin of_site(const sites::AppendSite& site, u32 depth);
  // `added`: what was added to it to get the length that is asked about.
  Begin of_length(usize frame, u32 insn, program::Location at,
                  std::span<const program::Origin> added = {});
  Begin of_origin(usize frame, const program::FunctionCode& code, const program::Origin& origin);
  Begin of_operand(const program::FunctionCode& code, u32 branch, const sites::AppendSite& site,
                   u32 depth);
  // Was the array anybody's before the first append?
  bool was_anothers(usize frame, u32 insn, program::Location ptr);
  struct Call {
    const program::FunctionCode* code = nullptr;  // null: not known
    u32 insn = 0;
  };
  Call caller_of(usize frame) const;
  bool passes_on(ImageAddr target) const;
  void find_stack_buffers(const program::FunctionCode& code, u32 branch,
                          const sites::AppendSite& site);

  judge::Context& context_;
  const judge::Append& append_;
  const program::CallUse& calls_;
  const program::Callees callees_;
  std::map<usize, std::set<u32>> blocks_;
  // By frame: the calls of growslice that its length may come from. An array that another call made
  // was cut to nothing since.
  std::map<usize, std::set<u32>> growths_;
  std::set<u32> stack_buffers_;  // blocks of the append's function
};

}  // namespace geist::detect::append
