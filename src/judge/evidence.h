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

namespace geist::judge {

enum class Verdict : u8 { kOpen, kConfirmed, kVoidHeader, kVoidElement };

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
  // The append waits while the watch is set, so its write will be seen.
  // `reads_through_victim` says whether an access to E goes through the victim's own pointer, as
  // far as can be told.
  Evidence(TargetAddr header_word, TargetAddr element_word, const Append& append, HeaderTrust trust,
           std::function<bool(const Access&)> reads_through_victim)
      : header_(header_word),
        element_(element_word),
        append_activation_(append.activation()),
        append_file_(append.file),
        append_line_(append.line),
        trust_(trust),
        reads_through_victim_(std::move(reads_through_victim)) {}

  void add(const Access& access);
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
  // After the append's write, and before anything else touched either, the victim's header was
  // read: it is in use.
  bool header_was_read() const { return written_ && !header_reads_.empty(); }
  const std::optional<Access>& read() const { return read_; }

 private:
  struct HeaderRead {
    Activation by;
    x86::Reg loaded = x86::kNoReg;
    HeaderUse use = HeaderUse::kNone;
  };
  bool shows_read_through(const HeaderRead& header, const Access& access, usize frame) const;
  void on_header(const Access& access);
  void on_element(const Access& access);
  bool is_the_append(const Access& access) const;

  TargetAddr header_;
  TargetAddr element_;
  bool header_moved_ = false;
  // It stood in a channel's slot, was received after the append's write, and cleared there.
  bool header_taken_ = false;
  Activation append_activation_;
  std::string_view append_file_;
  i32 append_line_;
  HeaderTrust trust_;
  bool written_ = false;
  bool moved_ = false;
  Verdict verdict_ = Verdict::kOpen;
  std::vector<HeaderRead> header_reads_;
  std::vector<Copy> copies_;
  std::function<bool(const Access&)> reads_through_victim_;
  std::optional<Access> read_;
};

}  // namespace geist::judge
