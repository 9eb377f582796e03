// KeptCase: a list gets the same array once more, after somebody wrote into it.
//
//   keys = append(keys, e.key(1))      keys[0] looks into e.scratch
//   keys = append(keys, e.key(2))      a plain store has changed keys[0]; keys[1] is the same again
//
// No call and no append writes there, so nothing of the write can be probed. But when the list grows
// its elements can be looked at: the array of its last one is watched from then on, and who writes
// there is seen. When the list grows once more and has that array twice, the former element shows
// what the later one was made of. Whoever then reads its header uses it. That two elements share an
// array may be meant, so this is `likely` at most.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "detect/append/overwrite.h"
#include "judge/case.h"
#include "judge/desk.h"

namespace geist::detect::refill {

using judge::Access;

// Where in an element of a list a slice is: in it, or in what it points to.
struct SliceIn {
  u64 offset = 0;
  bool is_pointed_to = false;
  u64 inner_offset = 0;  // is_pointed_to: in that
  ImageAddr elem_type;   // of the slice's elements
  u64 elem_size = 0;
};
std::optional<SliceIn> find_slice_in(const read::GoBinary& binary, ImageAddr type);

// A list that may grow: the site of the append, as at its CALL of growslice.
struct ListPlace {
  probe::ProbedSite site;
  SliceIn slice;
};

// What is known of an array that is in a list, by all cases of that list.
struct KeptArray {
  // On the samples' clock; 0: not yet. Samples may come after the event that they were made before.
  u64 written_ns = 0;  // the first store that changed it, since it was seen in the list
  u64 twice_ns = 0;    // the last time that it was seen there twice, while the list's append waited
  bool is_again() const { return written_ns != 0 && written_ns < twice_ns; }
};
using KeptArrays = std::map<std::pair<u32, u64>, std::shared_ptr<KeptArray>>;  // record and address

class KeptCase : public judge::Case {
 public:
  // `place` and `arrays` outlive the case.
  KeptCase(judge::Desk& desk, judge::Opening opening, const ListPlace& place, KeptArrays& arrays);
  static bool fits(const abi::Event& event, const ListPlace& place);

  Range written() const override { return {}; }
  std::optional<int> rank() override;
  bool watch(judge::Registers& registers) override;
  bool is_idle() const override { return is_closed_; }
  void on_watch_end(bool, u64) override { is_closed_ = true; }
  void on_access(const Access& access) override;
  bool after_samples(const judge::Unseen& unseen) override;
  void on_unseen() override {}
  std::vector<judge::WatchedHeader> headers() const override;
  void on_copy(const process::SharedRing::Copy& copy) override;
  void look_again() override {}
  bool is_seen_through() const override { return is_closed_; }
  bool is_over() const override { return is_closed_; }
  void settle(const judge::Gate&) override {}

 private:
  struct Element {
    TargetAddr header;  // of its slice
    u64 array = 0, len = 0, cap = 0;
  };
  std::optional<Element> read_element(u64 index) const;
  void note_array(KeptArrays& arrays);
  bool is_changed(u64 offset, u64 size) const;
  bool is_header_there() const;
  findings::Finding describe(const Access& writer, const Access& reader);
  void name_victim(const judge::View& view, const Access& reader, judge::Append append,
                   findings::Victim& victim);

  judge::Desk& desk_;
  judge::Context& context_;
  const ListPlace& place_;
  Element kept_;
  std::shared_ptr<KeptArray> array_;
  std::vector<u8> before_;  // of the array, bounded
  std::vector<std::pair<TargetAddr, u32>> words_;
  std::optional<Access> writer_;
  std::optional<Access> reader_;
  std::vector<u8> reader_stack_;
  TargetAddr reader_sp_;
  bool is_closed_ = true;
  u32 copies_ = 0;
};

}  // namespace geist::detect::refill
