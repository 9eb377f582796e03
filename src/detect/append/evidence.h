// Evidence: the state machine over the accesses to a watched victim, from the append's write on.
//
//           E written (the append)          L read by F                E read by F or below it
//   start ──────────────────────▶ written ───────────▶ header read ───────────────────▶ confirmed
//     L written before it was read ─▶ void (header replaced)
//     E written by others          ─▶ void (overwritten again)
//
// L is the victim's length word (absent when the compiler keeps it in a register), E a watched part
// of the changed bytes. A victim that DWARF names may also be read directly: through a register
// that is, there, that variable's pointer. An E read without an L read by the same frame or one of
// its callers says nothing: the reader may have gone through the append's own result.
#pragma once

#include <functional>
#include <optional>

#include "judge/access.h"
#include "judge/append.h"
#include "judge/route.h"

namespace geist::detect::append {

using judge::Access;
using judge::Activation;
using judge::Append;
using judge::HeaderUse;
using judge::LeftOut;
using judge::Route;
using judge::RouteAnswer;

enum class Verdict : u8 { kOpen, kConfirmed, kVoidHeader, kVoidElement };

// Did the append change the watched part? What a later write to it does is that write's doing.
enum class Change : u8 {
  kUnknown,  // not written yet, or written again before anybody looked
  kMade,
  kNone,  // the append wrote what stood there
};

// The watched word of the victim's header.
struct HeaderWord {
  TargetAddr at;            // 0 when there is none in memory
  TargetAddr pointer;       // the word of its pointer, 0 when there is none
  bool is_pointer = false;  // not the length: who reads it means to use the slice
  Activation owner;         // the frame whose variable it is; of no function when it is none
};

// The watched part of the changed bytes, and what stood there before the append; `before` is empty
// where the event did not keep it.
struct WatchedPart {
  TargetAddr at;
  std::vector<u8> before;
};

// How far a read of the header word H, followed by a read of E, shows a read through the view.
enum class HeaderTrust : u8 {
  kFull,          // by the frame that read H, or by a function it called
  kBesideResult,  // H is a spill slot of the appending frame, where the result is at hand too: only
                  // by a callee
  kSameRegister,  // H is a bare pointer: only through the very register that was loaded from H
  // The victim may be the buffer of bytes that the operand was cut from (View::may_be_cut): only
  // when the header was read as a whole, and then by the frame that did, or by a function it called
  // after handing the header on.
  kWhole,
};

class Evidence {
 public:
  // The append waits while the watch is set, so its write will be seen. `route` tells through whose
  // header an access to E went, as far as can be told.
  Evidence(const HeaderWord& header, WatchedPart element, const Append& append, HeaderTrust trust,
           std::function<RouteAnswer(const Access&)> route)
      : header_(header.at),
        pointer_distance_(header.pointer ? header.at - header.pointer : 0),
        is_pointer_(header.is_pointer),
        owner_(header.owner),
        element_(element.at),
        before_(std::move(element.before)),
        append_(append),
        trust_(trust),
        route_(std::move(route)) {}

  void add(const Access& access);
  // The watched part as it was read between two moments of the samples' clock. To be called when
  // all samples of before the second have been added.
  void note_bytes(ByteView now, u64 from_ns, u64 until_ns);
  // The write was made before the watch, and left the part so; `now_ns` is a moment since.
  void begin_written(ByteView now, u64 now_ns);
  // Of a buffer: what this call, or whoever it calls, writes there later is the same again. The view
  // is as old as it was.
  void expect_refills_by(const Activation& call) { refiller_ = call; }
  // Somebody else is about to write the part, unwatched.
  void end_part(u64 now_ns) {
    if (other_write_ns_ == 0) other_write_ns_ = now_ns;
    if (verdict_ == Verdict::kOpen) verdict_ = Verdict::kVoidElement;
  }
  // The append is about to be made again, by the same line of the same call, and writes all of the
  // part anew.
  void expect_again() { is_expected_again_ = true; }
  // What the append copied to the watched part.
  void note_copied(ByteView bytes);
  Change change() const { return change_; }
  // Is it the write of the append's own line in its own frame, by itself or by memmove? A sort of
  // the same slice in the same function is another write.
  bool is_the_append(const Access& access) const;
  bool was_written_again() const { return other_write_ns_ != 0; }
  usize part_size() const { return before_.size(); }
  // The append's own stores to the part whose values are known.
  const std::vector<Access::Stored>& stores() const { return stores_; }
  // Did what was read between these two moments stand there as the append had written it?
  bool shows_append(u64 from_ns, u64 until_ns) const {
    return append_write_ns_ != 0 && append_write_ns_ < from_ns &&
           (other_write_ns_ == 0 || other_write_ns_ > until_ns);
  }
  // The append has written, and may still turn out to have changed something or not.
  bool is_undecided() const {
    return change_ == Change::kUnknown && append_write_ns_ != 0 && other_write_ns_ == 0;
  }
  // Confirmed, but whether it was the append that changed what was read will never be known.
  bool is_unclear() const {
    return verdict_ == Verdict::kConfirmed && change_ == Change::kUnknown && other_write_ns_ != 0;
  }
  // The stack that the header word was on has moved: what happens at the old place is nobody's
  // business, until it is looked for at the new one.
  bool header_has_moved() const { return header_moved_; }
  void follow_header(TargetAddr now) { header_ = now, header_moved_ = false; }
  TargetAddr element_word() const { return element_; }
  // The header was received from a channel, which cleared it: those who received it may still read
  // E.
  bool header_was_taken() const { return header_taken_; }
  Verdict verdict() const { return verdict_; }
  // Where the header was copied to after the append's write, while it was as it had been: later
  // states of the victim.
  struct Copy {
    TargetAddr header_word;
    bool by_growth = false;
  };
  const std::vector<Copy>& copies() const { return copies_; }
  // The array that holds the header grew; from now on `header_word` is watched. Between the copy
  // and the new watch there was a moment, so what is read behind a move confirms nothing.
  void follow(TargetAddr header_word);
  // The same, but who copies it waits, and `header_word` is watched before the header comes there:
  // nothing goes unseen.
  void follow_copy(TargetAddr header_word, HeaderTrust trust,
                   std::function<RouteAnswer(const Access&)> route);
  // The same header with another length: its holder has appended to it, in place.
  void go_on_with(std::function<RouteAnswer(const Access&)> route) { route_ = std::move(route); }
  // The frame whose variable it is walks through the slice with the very word: it holds a later
  // place of the same array from now on.
  void follow_walk(std::function<RouteAnswer(const Access&)> route);
  // After the append's write the victim's header was read to be used: by the frame whose variable
  // it is, or, pointer and length, by a function that began after the append. Who was there when it
  // happened (a filter that compares the lengths) may have read it for another reason.
  bool header_was_used() const { return in_use_; }
  // The victim was grown by an append of its own: the changed bytes went along.
  bool was_taken_along() const { return is_taken_along_; }
  const std::optional<Access>& read() const { return read_; }
  // Where what there is no room for is counted; must outlive this.
  void count_left_out_in(LeftOut* left_out) { left_out_ = left_out; }

 private:
  struct HeaderRead {
    Activation by;
    x86::Reg loaded = x86::kNoReg;
    HeaderUse use = HeaderUse::kNone;
    ImageAddr pointer_load;
  };
  bool arrives_by(const Access& access);
  bool is_beside(const Access& access) const;
  static usize header_reader(const Access& access);
  static bool takes_pointer(const HeaderRead& header, const Access& access,
                            const RouteAnswer& answer);
  void count(u64 LeftOut::*what) {
    if (left_out_ != nullptr) ++(left_out_->*what);
  }
  bool was_read_whole_by(const Access& access) const;
  bool shows_read_through(const HeaderRead& header, const Access& access, usize frame) const;
  void on_header(const Access& access);
  void on_element(const Access& access);
  bool is_refill(const Access& access) const;
  bool was_there(const Activation& frame) const;
  void note_write(const Access& access, bool by_append);
  void keep_store(const Access::Stored& stored);

  TargetAddr header_;
  u64 pointer_distance_;  // from the pointer's word to the watched one
  bool is_pointer_;
  Activation owner_;
  TargetAddr element_;
  std::vector<u8> before_;
  bool header_moved_ = false;
  // It stood in a channel's slot, was received after the append's write, and cleared there.
  bool header_taken_ = false;
  const Append& append_;
  HeaderTrust trust_;
  bool in_use_ = false;
  bool is_taken_along_ = false;
  bool written_ = false;
  bool moved_ = false;
  bool expects_copy_ = false;  // writes to the header's word put it there, until it is read
  bool has_arrived_ = false;
  ImageAddr arrival_insn_;
  TargetAddr arrival_cfa_;
  Verdict verdict_ = Verdict::kOpen;
  std::vector<HeaderRead> header_reads_;
  std::vector<Copy> copies_;
  std::function<RouteAnswer(const Access&)> route_;
  Change change_ = Change::kUnknown;
  std::vector<Access::Stored> stores_;
  bool is_expected_again_ = false;
  std::optional<Activation> refiller_;
  u64 append_write_ns_ = 0;
  u64 other_write_ns_ = 0;  // the first one after the append's; 0: none
  std::optional<Access> read_;
  LeftOut* left_out_ = nullptr;
};

}  // namespace geist::detect::append
