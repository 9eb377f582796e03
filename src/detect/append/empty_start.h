// Began the slice that is appended to empty, x[:0], whatever was appended to it since? Then its array
// is filled again from its start, and who reads it through x may be meant to.
//
//   out := x[:0]; for … { out = append(out, v) }      in the append's own function
//   fill(x[:0])                                       its caller began it: fill appends to a parameter
//   out := x[:0]; out = strconv.AppendInt(out, n, 10) a callee appends and gives it back
//   var out []T; for … { out = append(out, v) }       no: this array was nobody's before
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

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
  // Is it a front part, cut where the program computed, x[:n]? A front part of a constant length is
  // where somebody wants a slice of his own to begin.
  bool was_cut_at_place() const { return is_cut_at_place_; }
  // The blocks where it began, of a function whose frame it began in; nothing of one further up:
  // there it never was.
  std::optional<std::set<u32>> blocks(usize frame) const;

 private:
  // kNone: what there is comes from appends; kPlace: a length that is no constant.
  enum class Begin : u8 { kNone, kEmpty, kPlace, kOther };
  Begin of_site(const sites::AppendSite& site, u32 depth);
  // A length, and the pointer that it goes with.
  struct Slice {
    program::Location len;
    std::optional<program::Location> ptr;
  };
  // `added`: what was added to it to get the length that is asked about.
  Begin of_length(usize frame, u32 insn, const Slice& slice,
                  std::span<const program::Origin> added = {});
  Begin of_origin(usize frame, const program::FunctionCode& code, const program::Origin& origin,
                  std::span<const program::Origin> pointers);
  Begin of_operand(const program::FunctionCode& code, u32 branch, const sites::AppendSite& site,
                   u32 depth);
  // Was the array anybody's before the first append?
  bool was_anothers(usize frame, u32 insn, program::Location ptr);
  struct Call {
    const program::FunctionCode* code = nullptr;  // null: not known
    u32 insn = 0;
  };
  Call caller_of(usize frame) const;
  void find_stack_buffers(const program::FunctionCode& code, u32 branch,
                          const sites::AppendSite& site);

  bool is_cut_at_place_ = false;
  judge::Context& context_;
  const judge::Append& append_;
  const program::CallUse& calls_;
  const program::Callees callees_;
  std::map<usize, std::set<u32>> blocks_;
  // By frame: the calls of growslice that its length may come from. An array that another call made
  // was cut to nothing since.
  std::map<usize, std::set<u32>> growths_;
  std::set<u32> stack_buffers_;  // blocks of the append's function
  // Asked about already: a loop hands on what it got back.
  std::set<std::pair<usize, u32>> lengths_, pointers_;
};

}  // namespace geist::detect::append
