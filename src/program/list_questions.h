// Operations of container/list, and of the copies that other packages make of it, in machine code:
// where each asks whose element it has.
//
//   Next, Prev                        e.list == nil: it is in no list
//     MOVQ 16(E), L; TESTQ L, L; JEQ …; MOVQ 0(E), P; CMPQ L, P
//   Remove, Move…, Insert…            e.list == l
//     CMPQ 16(E), L; JNE …
//
// All but PushBackList and PushFrontList are inlined into ordinary callers, so both the functions and
// the inlined bodies are looked through. A name alone says nothing: what counts is the code. The
// element may be a field of another struct: then the offset is another one.
// Source: container/list/list.go, go1.21 to go1.27.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/point.h"

namespace geist::program {

enum class ListMethod : u8 { kNext, kPrev, kRemove, kMove, kInsert };

// Nothing for a name that is none: "container/list.(*Element).Next", "lists.(*List[...]).Remove".
std::optional<ListMethod> list_method(std::string_view function);

struct ListQuestion {
  ListMethod method = ListMethod::kNext;
  u32 at = 0;     // the element, and the list, are in their registers, and nothing has been done
  u32 asked = 0;  // the instruction that asks
  std::vector<u32> later;  // kMove: likewise, once the element is known to be the list's
  x86::Reg base = x86::kNoReg;
  i64 element = 0;              // the element's address, from base
  x86::Reg list = x86::kNoReg;  // kNext, kPrev: none
  // The element's own word, where that is in a register, too. Which of the two is which is not known.
  x86::Reg owner = x86::kNoReg;
};

// The pure part: of the instructions of one body of a method in this code. Nothing when they have
// another shape.
struct InsnRange {
  u32 first, end;
};
std::optional<ListQuestion> find_list_question(const FunctionCode& code, ListMethod method,
                                               std::span<const InsnRange> body);

struct ListPoint {
  ListQuestion question;
  Point point;
  ImageAddr asked;
  std::string_view name;  // of the method
};
struct FoundListPoints {
  std::vector<ListPoint> points;
  std::vector<std::string> missing;  // of container/list itself: where, and why
};
FoundListPoints find_list_points(const read::GoBinary& binary);

}  // namespace geist::program
