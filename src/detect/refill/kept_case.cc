// The last element of a list that grows, and what happens to the array of its slice.
#include "detect/refill/kept_case.h"

#include <time.h>

#include <algorithm>

#include "detect/append/describe.h"
#include "detect/stale/words.h"
#include "judge/clock.h"
#include "judge/names.h"
#include "sites/identity.h"

namespace geist::detect::refill {
namespace {

constexpr usize kMostArrays = 4096;  // known at a time
constexpr u64 kMostElements = 64;    // of a list, from its end, that are looked at
constexpr u64 kMostBytes = 64;       // of an array
constexpr u32 kMostCopies = 24;
constexpr u64 kHeaderBytes = 24;

bool is_by_runtime(const Access& access) {
  return access.frames.empty() || access.actor >= access.frames.size();
}

}  // namespace

std::optional<SliceIn> find_slice_in(const read::GoBinary& binary, ImageAddr type) {
  using read::Kind;
  auto read = [&](ImageAddr at) -> std::optional<read::GoType> {
    Result<read::GoType> result = binary.types().read(at);
    if (!result.ok()) return std::nullopt;
    return std::move(result.value());
  };
  // The first slice of the value, at this offset.
  auto find = [&](const read::GoType& value) -> std::optional<std::pair<u64, ImageAddr>> {
    if (value.kind == Kind::kSlice) return std::pair{u64{0}, value.elem};
    for (const read::TypeField& field : value.fields) {
      const std::optional<read::GoType> of = read(field.type);
      if (of && of->kind == Kind::kSlice) return std::pair{field.offset, of->elem};
    }
    return std::nullopt;
  };
  const std::optional<read::GoType> element = read(type);
  if (!element) return std::nullopt;
  SliceIn slice;
  slice.is_pointed_to = element->kind == Kind::kPointer;
  const std::optional<read::GoType> value = slice.is_pointed_to ? read(element->elem) : element;
  const auto found = value ? find(*value) : std::nullopt;
  const std::optional<read::GoType> of = found ? read(found->second) : std::nullopt;
  if (!of || of->size_bytes == 0) return std::nullopt;
  (slice.is_pointed_to ? slice.inner_offset : slice.offset) = found->first;
  slice.elem_type = found->second;
  slice.elem_size = of->size_bytes;
  return slice;
}

KeptCase::KeptCase(judge::Desk& desk, judge::Opening opening, const ListPlace& place,
                   KeptArrays& arrays)
    : Case(std::move(opening)), desk_(desk), context_(desk.context()), place_(place) {
  note_array(arrays);
}

bool KeptCase::fits(const abi::Event& event, const ListPlace& place) {
  const abi::AppendFacts& facts = event.append;
  return facts.old_ptr == facts.dest && facts.new_len == facts.num && facts.num <= facts.cap &&
         facts.num != 0 && facts.elem_size == place.site.site.elem_size;
}

std::optional<KeptCase::Element> KeptCase::read_element(u64 index) const {
  const abi::AppendFacts& facts = event().append;
  TargetAddr header(facts.old_ptr + index * facts.elem_size + place_.slice.offset);
  if (place_.slice.is_pointed_to) {
    const std::optional<u64> pointer = context_.memory.find<u64>(header);
    if (!pointer || *pointer == 0) return std::nullopt;
    header = TargetAddr(*pointer + place_.slice.inner_offset);
  }
  const std::optional<u64> array = context_.memory.find<u64>(header);
  const std::optional<u64> len = context_.memory.find<u64>(header + 8);
  const std::optional<u64> cap = context_.memory.find<u64>(header + 16);
  if (!array || !len || !cap || *array == 0 || *len == 0 || *len > *cap) return std::nullopt;
  return Element{header, *array, *len, *cap};
}

// The first element with the array of the last one: it is what shows a change.
void KeptCase::note_array(KeptArrays& arrays) {
  const u64 len = event().append.new_len;
  const std::optional<Element> last = read_element(len - 1);
  if (!last) return;
  std::optional<Element> first = last;
  for (u64 i = len - 1; i-- > 0 && len - i <= kMostElements;) {
    const std::optional<Element> other = read_element(i);
    if (other && other->array == last->array && other->header != last->header) first = other;
  }
  const auto known = arrays.find({event().site, last->array});
  if (known != arrays.end()) {
    if (first->header != last->header)
      known->second->twice_ns = judge::nanoseconds(CLOCK_MONOTONIC);
    return;
  }
  const std::optional<heap::Object> object = context_.spans.find_object(TargetAddr(last->array));
  if (!object || object->is_stack) return;
  kept_ = *first;
  before_.resize(std::min(kept_.len * place_.slice.elem_size, kMostBytes));
  if (!context_.memory.read(TargetAddr(kept_.array), before_)) return;
  if (arrays.size() >= kMostArrays) arrays.clear();
  array_ = std::make_shared<KeptArray>();
  arrays.emplace(std::pair{event().site, kept_.array}, array_);
  is_closed_ = false;
}

// Below all that is written where it can be probed.
std::optional<int> KeptCase::rank() {
  constexpr int kRank = 3;
  return is_closed_ ? std::nullopt : std::optional(kRank);
}

bool KeptCase::watch(judge::Registers& registers) {
  const usize most = std::max<usize>(registers.free_words(), 2) - 1;
  const u64 size = place_.slice.elem_size;
  const stale::ElementWords words = stale::find_words(context_, place_.slice.elem_type, size);
  std::vector<std::pair<u64, u32>> all = words.numbers;
  all.insert(all.end(), words.others.begin(), words.others.end());
  // Small elements side by side.
  if (size < 8) {
    const u64 wide = kept_.array % 8 == 0 && before_.size() >= 8 ? 8 : size;
    all = {{0, static_cast<u32>(wide)}};
  }
  if (!registers.add(*this, kept_.header, 8, false)) return false;
  for (const auto& [offset, bytes] : all) {
    if (words_.size() >= std::min<usize>(most, 2) || offset + bytes > before_.size()) break;
    const TargetAddr word(kept_.array + offset);
    if (word.value % bytes == 0 && registers.add(*this, word, bytes, false))
      words_.emplace_back(word, bytes);
  }
  is_closed_ = words_.empty();
  return !is_closed_;
}

std::vector<judge::WatchedHeader> KeptCase::headers() const {
  if (is_closed_ || copies_ >= kMostCopies) return {};
  return {{kept_.header, {}}};
}

// The list moves, and the element with it.
void KeptCase::on_copy(const process::SharedRing::Copy& copy) {
  const bool is_ours = kept_.header >= copy.from && kept_.header - copy.from < copy.bytes;
  if (!is_ours || is_closed_) return;
  ++copies_;
  if (copy.keeps_source) return;
  const TargetAddr there = copy.to + (kept_.header - copy.from);
  is_closed_ = !desk_.registers().move(*this, kept_.header, there, 8, false);
  kept_.header = there;
}

void KeptCase::on_access(const Access& access) {
  if (is_closed_ || access.kind == Access::Kind::kIgnored || access.by_growth) return;
  if (access.word == kept_.header) {
    is_closed_ = access.writes();
    if (is_closed_ || reader_ || !array_->is_again() || !writer_ || is_by_runtime(access)) return;
    reader_ = access;
    reader_stack_ = access.sample->stack;
    reader_sp_ = TargetAddr(access.sample->regs[x86::kRsp]);
    return;
  }
  const auto word = std::ranges::find(words_, access.word, &std::pair<TargetAddr, u32>::first);
  // Copies and appends are looked at where they are made.
  const bool is_store = word != words_.end() && access.writes() && !is_by_runtime(access) && access.actor == 0;
  if (!is_store || !is_changed(word->first - TargetAddr(kept_.array), word->second)) return;
  if (array_->written_ns == 0) array_->written_ns = access.time;
  if (writer_) return;
  writer_ = access;
  writer_->sample = nullptr;
}

bool KeptCase::is_changed(u64 offset, u64 size) const {
  std::vector<u8> now(size);
  const std::optional<ByteView> before = find_part(before_, offset, size);
  return before && context_.memory.read(TargetAddr(kept_.array + offset), now) &&
         !std::ranges::equal(now, *before);
}

bool KeptCase::is_header_there() const {
  return context_.memory.find<u64>(kept_.header) == kept_.array &&
         context_.memory.find<u64>(kept_.header + 8) == kept_.len;
}

bool KeptCase::after_samples(const judge::Unseen& unseen) {
  if (is_closed_ || !reader_) return is_closed_;
  reader_->sample = nullptr;
  if (is_changed(0, before_.size()) && is_header_there() && !unseen.lost) {
    desk_.outcomes().record({number(), 0, event().context}, findings::Level::kLikely,
                            [&] { return describe(*writer_, *reader_); });
  }
  is_closed_ = true;
  return true;
}

// As if the store were a copy into the kept array.
findings::Finding KeptCase::describe(const Access& writer, const Access& reader) {
  const heap::StackFrame& by = writer.frames[writer.actor];
  probe::ProbedSite site;
  site.site.function = by.function.index;
  site.site.call = site.site.branch = writer.insn ? writer.insn : by.lookup_pc();
  site.site.type_addr = place_.slice.elem_type;
  site.site.elem_size = place_.slice.elem_size;
  const auto store = std::make_unique<abi::Event>(event());
  store->append = {.old_ptr = kept_.array,
                   .new_len = kept_.len,
                   .cap = kept_.cap,
                   .num = kept_.len,
                   .elem_size = place_.slice.elem_size,
                   .dest = kept_.array,
                   .dest_size = kept_.len * place_.slice.elem_size};
  store->old_size = static_cast<u32>(before_.size());
  std::ranges::copy(before_, store->old_bytes);
  std::vector<u8> after(before_.size());
  if (!context_.memory.read(TargetAddr(kept_.array), after)) after.clear();
  append::Overwrite write;
  write.rule = "GB003";
  write.finding_class = "buffer_reuse";
  constexpr u32 kOrdinal = 3000;  // apart from those of appends and copies
  const read::SourceFrame line =
      context_.binary.pclntab().source_frames(by.function, site.site.call).front();
  write.identity = sites::AppendIdentity{context_.identities.declaring(line), kOrdinal};
  write.event = store.get();
  write.append.site = &site;
  write.append.event = store.get();
  write.append.file = line.file;
  write.append.line = line.line;
  write.append.stack = {TargetAddr(store->regs[x86::kRsp]), {store->stack, store->stack_size}};
  write.append.frames = writer.frames;
  append::Candidate candidate;
  judge::View& view = candidate.view;
  view.ptr = kept_.array;
  view.len = kept_.len;
  view.cap = kept_.cap;
  view.ptr_word = kept_.header;
  view.len_word = kept_.header + 8;
  const std::optional<heap::Object> object = context_.spans.find_object(kept_.header);
  if (object && !object->is_stack) view.object = object->user, view.object_size = object->size_bytes;
  candidate.reader = reader;
  write.candidates.push_back(candidate);
  findings::Finding f =
      append::Describer(context_).describe(write, candidate, findings::Level::kLikely, after);
  name_victim(view, reader, write.append, f.victim);
  return f;
}

// As who reads it would write it; what a library calls it meanwhile says nothing.
void KeptCase::name_victim(const judge::View& view, const Access& reader, judge::Append append,
                           findings::Victim& victim) {
  append.frames.clear();
  bool is_program = false;
  for (const heap::StackFrame& frame : reader.frames) {
    is_program |= !sites::is_gos_own(context_.binary, frame.function.name);
    if (is_program) append.frames.push_back(frame);
  }
  append.stack = {reader_sp_, reader_stack_};
  if (append.frames.empty()) return;
  const judge::HolderName name = find_holder_name(context_, append, view);
  victim.name = name.name;
  victim.function = name.function;
  if (!name.type.empty()) victim.type = name.type;
}

}  // namespace geist::detect::refill
