// RefillCase: a copy that overwrites bytes or elements which somebody else still has a view of.
//
//   lines = append(lines, sc.Bytes())      a view of the Scanner's buffer
//   sc.Scan()                              the buffer is refilled: lines[0] shows the next line
//
// The one who fills a buffer has a view of it, too, and reads what it has filled in: its owner. That
// is the header that the destination's pointer was loaded from, found by following the pointer back
// through the code of the copying function and its callers; it and what lies in the same object are
// no victims. Whose pointer cannot be followed may be anybody's: then nothing is more than a
// suspicion.
//
// Whether a shared array was meant is known only of buffers of packages whose documentation says how
// long a view of them is good (bufio, bytes ...). Where other code copies into an array that others
// look into (rows of a matrix, and the matrix), that may be the point. And a variable of a caller
// that is under way may be what that caller handed on to be filled, as it is or in an interface: it
// is no more than a suspicion unless it was taken out of memory, or was the result of a call; and not
// even then where that caller is the one who took the buffer.
#pragma once

#include <optional>
#include <vector>

#include "detect/append/append_case.h"

namespace geist::detect::refill {

// A place where memory is refilled, as the place of an append to an empty slice there.
struct Place {
  probe::ProbedSite site;
  std::string_view callee;         // the function that copies
  sites::AppendIdentity identity;  // the how manieth of its function's copies
  bool is_typed = false;           // elements of a type that the call is handed
  bool is_read = false;            // by the kernel: when it is told, it is written
};

class RefillCase : public append::AppendCase {
 public:
  // `place` and `habits` outlive the case.
  RefillCase(judge::Desk& desk, judge::Opening opening, const Place& place,
             const append::WordHabits& habits);
  // Is it what that place tells?
  static bool fits(const abi::Event& event, const Place& place);
  // The event as an append's, with the machine as it was before the CALL. To be called once.
  static void prepare(abi::Event& event, const Place& place);

 private:
  double find_views() override;
  void leave_out_owners() override;
  findings::Level strongest(const judge::View& view) override;
  int rank_bonus() const override;
  bool is_written() const override { return is_read_; }
  std::optional<judge::Activation> refiller() const override { return refiller_; }
  bool is_owners(const judge::View& view, const judge::LoadedWord& owner) const;
  std::optional<judge::Activation> find_call(read::FuncIndex function) const;
  bool may_be_handed_on(const judge::View& view);

  const bool is_read_;
  std::vector<read::FuncIndex> loaders_;       // who took the buffer's pointer out of memory
  std::optional<judge::Activation> refiller_;  // of a package that says how long views are good
  findings::Level strongest_ = findings::Level::kSuspect;
};

}  // namespace geist::detect::refill
