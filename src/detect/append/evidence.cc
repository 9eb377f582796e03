// The transitions of the state machine that evidence.h draws, and what counts as a read through the
// victim.
#include "detect/append/evidence.h"

#include <algorithm>
#include <utility>

namespace geist::detect::append {
namespace {

constexpr usize kMaxHeaderReads = 64;
constexpr usize kMaxCopies = 8;
constexpr usize kMaxStores = 16;

// bufio's readers and writers hand out the spare part of their own buffer (AvailableBuffer) and
// look at its full length all the time: the buffer's length is not the length of anybody's data.
bool owns_spare_buffer(std::string_view function) {
  return function.starts_with("bufio.(*");
}

// A value that was received is cleared where it stood: who received it has it (runtime/chan.go,
// chanrecv and recv; runtime/select.go, selectgo).
bool empties_channel_slot(const Access& access) {
  auto receives = [](const heap::StackFrame& frame) {
    std::string_view name = frame.function.name;
    return name.starts_with("runtime.chanrecv") || name == "runtime.recv" ||
           name == "runtime.selectgo";
  };
  auto actor =
      access.frames.begin() + static_cast<i64>(std::min(access.actor, access.frames.size()));
  return std::any_of(access.frames.begin(), actor, receives);
}

}  // namespace

void Evidence::add(const Access& access) {
  if (verdict_ != Verdict::kOpen) {
    // Who wrote what is asked on: of the part, and by other victims of the same append.
    const bool writes = access.word == element_ && access.writes();
    const bool by_append = writes && is_the_append(access);
    if (writes && access.kind != Access::Kind::kIgnored && (written_ || by_append)) {
      written_ |= by_append;
      note_write(access, by_append);
    }
    return;
  }
  header_moved_ |= access.moves_stack && access.word == header_;
  if (access.kind == Access::Kind::kIgnored) return;
  if (access.word == header_ && !header_moved_) on_header(access);
  if (access.word == element_ && verdict_ == Verdict::kOpen) on_element(access);
}

// Reflection looks into a slice for whoever called it.
usize Evidence::header_reader(const Access& access) {
  usize actor = access.actor;
  while (actor + 1 < access.frames.size() &&
         access.frames[actor].function.name.starts_with("reflect.Value."))
    ++actor;
  return actor;
}

void Evidence::on_header(const Access& access) {
  if (header_taken_) return;
  if (access.writes() && expects_copy_) {
    if (!arrives_by(access)) verdict_ = Verdict::kVoidHeader;
    return;
  }
  expects_copy_ = false;
  if (access.writes()) {
    header_taken_ = written_ && !moved_ && !header_reads_.empty() && empties_channel_slot(access);
    if (!header_taken_) verdict_ = Verdict::kVoidHeader;
    return;
  }
  if (!written_ || !access.reads() || access.actor >= access.frames.size()) return;
  if (access.copied_to && copies_.size() < kMaxCopies)
    copies_.push_back({access.copied_to, access.by_growth});
  else if (access.copied_to)
    count(&LeftOut::copies);
  // An array that grows takes all its headers along: nobody looked at this one.
  if (access.by_growth || owns_spare_buffer(access.frames[access.actor].function.name)) return;
  if (header_reads_.size() >= kMaxHeaderReads) {
    header_reads_.erase(header_reads_.begin());
    count(&LeftOut::header_reads);
  }
  HeaderRead read{access.activation(header_reader(access)), access.loaded, access.header.use,
                  access.header.pointer};
  if (is_beside(access)) read.use = HeaderUse::kArgument;
  if (is_pointer_ && read.use == HeaderUse::kNone) read.use = HeaderUse::kWhole;
  in_use_ |= was_there(read.by) ? read.by == owner_ : read.use != HeaderUse::kNone;
  header_reads_.push_back(read);
}

// Are the victim's pointer and length, words apart in a frame, neighbouring arguments of a call?
bool Evidence::is_beside(const Access& access) const {
  if (!access.header.argument_slot || access.actor != 0 || is_pointer_ || pointer_distance_ == 0)
    return false;
  const TargetAddr slot = access.sp + static_cast<u64>(*access.header.argument_slot);
  return slot.value + pointer_distance_ == header_.value;
}

// Did this frame load the pointer of the read beside the length, from the victim's header then?
bool Evidence::takes_pointer(const HeaderRead& header, const Access& access,
                             const RouteAnswer& answer) {
  return header.pointer_load && !answer.loads.empty() &&
         std::all_of(answer.loads.begin(), answer.loads.end(), [&](const RouteAnswer::Load& load) {
           return load.insn == header.pointer_load && access.activation(load.frame) == header.by;
         });
}

bool Evidence::is_refill(const Access& access) const {
  for (usize i = 0; refiller_ && i < access.frames.size(); ++i)
    if (access.activation(i) == *refiller_) return true;
  return false;
}

// Who was there when the append happened may have its result, too.
bool Evidence::was_there(const Activation& frame) const {
  return frame == append_.activation() || append_.was_under_way(frame);
}

void Evidence::follow(TargetAddr header_word) {
  header_ = header_word;
  moved_ = true;
  header_reads_.clear();
  copies_.clear();
}

void Evidence::follow_walk(std::function<RouteAnswer(const Access&)> route) {
  header_reads_.clear();
  route_ = std::move(route);
}

void Evidence::follow_copy(TargetAddr header_word, HeaderTrust trust,
                           std::function<RouteAnswer(const Access&)> route) {
  header_ = header_word;
  trust_ = trust;
  owner_ = {};
  expects_copy_ = true;
  has_arrived_ = false;
  header_reads_.clear();
  copies_.clear();
  route_ = std::move(route);
}

// The write that puts the header where it was copied to. memmove writes a word twice where its
// first and its last bytes overlap: then by a later instruction of the same call.
bool Evidence::arrives_by(const Access& access) {
  if (access.frames.empty() || access.frames[0].function.name != "runtime.memmove") return false;
  const bool is_same_call = access.frames[0].cfa == arrival_cfa_ && access.insn > arrival_insn_;
  if (has_arrived_ && !is_same_call) return false;
  has_arrived_ = true;
  arrival_insn_ = access.insn;
  arrival_cfa_ = access.frames[0].cfa;
  return true;
}

bool Evidence::is_the_append(const Access& access) const {
  if (access.actor >= access.frames.size()) return false;
  return access.activation(access.actor) == append_.activation() && access.line == append_.line &&
         access.file == append_.file;
}

// A store whose value is known tells at once what it changed; of others the part is looked at later
// (note_bytes).
void Evidence::note_write(const Access& access, bool by_append) {
  if (!by_append) {
    if (other_write_ns_ == 0) other_write_ns_ = access.time;
    return;
  }
  if (other_write_ns_ != 0) return;
  if (std::exchange(is_expected_again_, false)) {
    stores_.clear();
    change_ = Change::kUnknown;
  }
  append_write_ns_ = access.time;
  if (access.stored.size_bytes != 0) keep_store(access.stored);
  for (const Access::Stored& stored : access.stored_beside) keep_store(stored);
  bool is_whole = access.stored.size_bytes != 0;
  for (usize i = 0; i < before_.size(); ++i) {
    const u64 offset = element_.value + i - access.stored.at.value;
    if (offset >= access.stored.size_bytes) {
      is_whole = false;
      continue;
    }
    if (static_cast<u8>(access.stored.value >> (8 * offset)) != before_[i]) change_ = Change::kMade;
  }
  if (is_whole && !before_.empty() && change_ == Change::kUnknown) change_ = Change::kNone;
}

void Evidence::note_bytes(ByteView now, u64 from_ns, u64 until_ns) {
  if (change_ == Change::kMade || !shows_append(from_ns, until_ns)) return;
  if (before_.empty() || now.size() < before_.size()) return;
  change_ = std::equal(before_.begin(), before_.end(), now.begin()) ? Change::kNone : Change::kMade;
}

void Evidence::begin_written(ByteView now, u64 now_ns) {
  written_ = true;
  append_write_ns_ = now_ns;
  note_copied(now);
}

void Evidence::keep_store(const Access::Stored& stored) {
  if (stores_.size() < kMaxStores) stores_.push_back(stored);
}

void Evidence::note_copied(ByteView bytes) {
  if (before_.empty() || bytes.size() < before_.size() || other_write_ns_ != 0) return;
  change_ =
      std::equal(before_.begin(), before_.end(), bytes.begin()) ? Change::kNone : Change::kMade;
}

void Evidence::on_element(const Access& access) {
  if (access.writes()) {
    // Writes before the append's own belong to the old value; after it they end its traces.
    bool by_append = is_the_append(access);
    if (written_ && !by_append && is_refill(access)) {
      change_ = Change::kUnknown;
      append_write_ns_ = access.time;
      stores_.clear();
      header_reads_.clear();
      return;
    }
    if (written_ || by_append) note_write(access, by_append);
    if (written_ && !by_append) verdict_ = Verdict::kVoidElement;
    written_ = written_ || by_append;
    header_reads_.clear();
    return;
  }
  if (!written_ || access.actor >= access.frames.size()) return;
  const RouteAnswer answer = route_(access);
  // What an array that grows takes along was read by nobody; but it is in the new array now.
  if (access.by_growth) {
    is_taken_along_ |= answer.route == Route::kVictim;
    return;
  }
  if (answer.route == Route::kOther) return;
  const bool is_victims =
      answer.route == Route::kVictim && (!answer.needs_whole || was_read_whole_by(access));
  const bool is_taken =
      !moved_ && std::any_of(header_reads_.begin(), header_reads_.end(),
                             [&](const HeaderRead& h) { return takes_pointer(h, access, answer); });
  if (is_victims || is_taken) {
    read_ = access;
    read_->sample = nullptr;
    verdict_ = Verdict::kConfirmed;
    return;
  }
  for (usize i = access.actor; i < access.frames.size() && !moved_; ++i) {
    for (const HeaderRead& header : header_reads_) {
      if (!shows_read_through(header, access, i)) continue;
      read_ = access;
      read_->sample = nullptr;
      verdict_ = Verdict::kConfirmed;
      return;
    }
  }
}

// Has a frame of the access read the header as a whole, since the append?
bool Evidence::was_read_whole_by(const Access& access) const {
  return std::ranges::any_of(header_reads_, [&](const HeaderRead& header) {
    bool is_reader = false;
    for (usize i = access.actor; i < access.frames.size(); ++i)
      is_reader |= header.by == access.activation(i);
    return is_reader && header.use != HeaderUse::kNone;
  });
}

// Frame `index` of the access is the one that read the header: is that enough?
bool Evidence::shows_read_through(const HeaderRead& header, const Access& access,
                                  usize index) const {
  const Activation reader = access.activation(index);
  if (header.by != reader) return false;
  bool direct = index == access.actor;
  // Of who may have the append's result, too, a read of the length alone is no use of the victim.
  // Of what was received from a channel, or read through the very register that was loaded from the
  // header, the read is the use.
  const bool is_use = header_taken_ || trust_ == HeaderTrust::kSameRegister;
  if (was_there(reader) && !is_use && (direct || header.use == HeaderUse::kNone)) return false;
  switch (trust_) {
    case HeaderTrust::kFull:
      return true;
    case HeaderTrust::kBesideResult:
      return !(direct && reader == append_.activation());
    case HeaderTrust::kSameRegister:
      return index == 0 && header.loaded != x86::kNoReg && header.loaded == access.base;
    case HeaderTrust::kWhole:
      return direct ? header.use != HeaderUse::kNone && reader != append_.activation()
                    : header.use == HeaderUse::kArgument;
  }
  return false;
}

}  // namespace geist::detect::append
