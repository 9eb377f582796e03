// The way back by pointer scans, the way forward by DWARF types; names.h has the picture.
#include "judge/names.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "judge/declared.h"
#include "judge/values.h"
#include "judge/variables.h"

namespace geist::judge {
namespace {

using read::DebugType;
using read::Kind;
using read::Piece;

constexpr u32 kMaxHops = 4;
constexpr usize kMaxFrontier = 32;
constexpr u64 kMaxScanBytes = u64{64} << 20;
constexpr u32 kMaxSteps = 24;

// Words as they were at the event: of the stack, which moves and changes, from the event's copy.
class Words {
 public:
  Words(const Context& context, const Append& append)
      : memory_(context.memory), stack_(append.stack) {}
  std::optional<u64> find(u64 address) const {
    const TargetAddr at(address);
    if (at >= stack_.sp && at < stack_.sp + stack_.bytes.size()) return stack_.find_word(at);
    return memory_.find<u64>(at);
  }
  u64 find_or_zero(u64 address) const { return find(address).value_or(0); }

 private:
  const process::Memory& memory_;
  const heap::StackCopy& stack_;
};

// An object on the way from the root to the header, and where inside it the way goes on.
struct Hop {
  u64 base = 0;
  u64 size = 0;
  u64 at = 0;     // address of the word that leads on (a pointer), or of the header itself
  int next = -1;  // index of the hop that word points to; -1: the header
  const heap::StackFrame* frame = nullptr;  // of an object on the stack
};

// What the data word of an interface points to, told by its first word: an abi.Type or an itab
// (type at +8). Null when that is not known, and for maps, channels and funcs, whose insides have
// no names.
const DebugType* find_dynamic_type(Context& context, u64 word) {
  for (u64 candidate : {word, context.memory.find<u64>(TargetAddr(word + 8)).value_or(0)}) {
    ImageAddr addr = context.bias().to_image(TargetAddr(candidate));
    Result<read::GoType> type = context.binary.types().read(addr);
    if (!type.ok()) continue;
    const DebugType* dynamic = context.debug->find_type(addr);
    if (dynamic == nullptr || type->kind == Kind::kMap || type->kind == Kind::kChan ||
        type->kind == Kind::kFunc)
      return nullptr;
    return type->kind == Kind::kPointer ? dynamic->elem : dynamic;
  }
  return nullptr;
}

// An entry of a map: where its key and its element are, and of which types.
struct MapEntry {
  ImageAddr key_type, elem_type;
  u64 key = 0, elem = 0;
};

class Walk {
 public:
  Walk(Context& context, const Words& words, const std::vector<Hop>& hops)
      : context_(context), words_(words), hops_(hops) {}

  // From a value of `type` at `address` to the word at `target` of the chain, then on through
  // `hop`. Returns false when the types end before the header.
  bool run(const DebugType* type, u64 address, u64 target, int hop);
  // From a map whose header is the object `hop`.
  bool run_map(const DebugType* type, int hop) {
    At at{type, 0, 0, hop};
    return step_into_map(at) && run(at.type, at.address, at.target, at.hop);
  }
  std::string path;
  std::string type_name;

 private:
  // Where the walk is: at a value of `type` at `address`, which holds `target`, the word that leads
  // on to `hop`.
  struct At {
    const DebugType* type;
    u64 address, target;
    int hop;
  };
  const DebugType* step_into(const DebugType& type, u64& address, u64 target);
  bool step_into_map(At& at);
  std::optional<MapEntry> find_entry(const read::GoType& map, const Hop& object) const;
  std::string print_key(ImageAddr type, u64 address) const;
  Context& context_;
  const Words& words_;
  const std::vector<Hop>& hops_;
};

// A field or element of an aggregate that holds `target`; null when there is none.
const DebugType* Walk::step_into(const DebugType& type, u64& address, u64 target) {
  if (type.kind == Kind::kStruct) {
    for (const DebugType::Field& field : type.fields) {
      if (field.type == nullptr) continue;
      u64 begin = address + field.offset;
      if (target < begin || target >= begin + field.type->size_bytes) continue;
      path += "." + field.name;
      address = begin;
      return field.type;
    }
  }
  if (type.kind == Kind::kArray && type.elem != nullptr && type.elem->size_bytes != 0) {
    u64 index = (target - address) / type.elem->size_bytes;
    path += fmt::format("[{}]", index);
    address += index * type.elem->size_bytes;
    return type.elem;
  }
  return nullptr;
}

// Which entry of a map the word is in that the way goes on from. runtime/map.go bmap: tophash, keys
// [8]K, elems [8]V. internal/runtime/maps group: ctrl, slots [8]{key, elem}. Nothing when it is no
// such object, or the slot is not in use.
std::optional<MapEntry> Walk::find_entry(const read::GoType& map, const Hop& object) const {
  Result<read::GoType> bucket = context_.binary.types().read(map.bucket);
  if (!bucket.ok() || bucket->size_bytes == 0 || bucket->fields.size() < 2) return std::nullopt;
  const u64 begin = object.at - (object.at - object.base) % bucket->size_bytes;
  const read::TypeField* inside = nullptr;
  for (const read::TypeField& field : bucket->fields) {
    if (begin + field.offset <= object.at) inside = &field;
  }
  Result<read::GoType> array = context_.binary.types().read(inside->type);
  if (!array.ok() || array->kind != Kind::kArray) return std::nullopt;
  Result<read::GoType> item = context_.binary.types().read(array->elem);
  if (!item.ok() || item->size_bytes == 0) return std::nullopt;
  const u64 index = (object.at - begin - inside->offset) / item->size_bytes;
  const u64 at = begin + inside->offset + index * item->size_bytes;
  const u8 state = static_cast<u8>(words_.find_or_zero(begin) >> (8 * (index & 7)));
  constexpr u8 kMinTopHash = 5, kEmptyOrDeleted = 0x80;
  if (inside->name == "slots" && item->fields.size() == 2 && state < kEmptyOrDeleted)
    return MapEntry{item->fields[0].type, item->fields[1].type, at + item->fields[0].offset,
                    at + item->fields[1].offset};
  if (inside->name != "elems" || state < kMinTopHash) return std::nullopt;
  Result<read::GoType> keys = context_.binary.types().read(bucket->fields[1].type);
  Result<read::GoType> key =
      keys.ok() ? context_.binary.types().read(keys->elem) : Result<read::GoType>(Error("no key"));
  if (!key.ok()) return std::nullopt;
  return MapEntry{keys->elem, array->elem,
                  begin + bucket->fields[1].offset + index * key->size_bytes, at};
}

// A string or a number; other keys would need a line of their own.
std::string Walk::print_key(ImageAddr type, u64 address) const {
  Result<read::GoType> key = context_.binary.types().read(type);
  const bool is_number = key.ok() && key->kind >= Kind::kBool && key->kind <= Kind::kUintptr;
  if (!key.ok() || (!is_number && key->kind != Kind::kString)) return "key";
  std::vector<u8> bytes(key->size_bytes);
  for (u64 i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<u8>(words_.find_or_zero(address + i / 8 * 8) >> (8 * (i % 8)));
  return ValuePrinter(context_).print(bytes, type);
}

// From a map to the element that the way leads through. Tables and directories are objects on the
// way that have no entries.
bool Walk::step_into_map(At& at) {
  Result<read::GoType> map = context_.binary.types().read(at.type->runtime_type);
  if (!map.ok() || map->kind != Kind::kMap) return false;
  constexpr u64 kDirLen = 24;  // internal/runtime/maps/map.go Map.dirLen, go1.24 to go1.27
  const bool has_tables =
      context_.binary.layout().has_swiss_maps &&
      words_.find_or_zero(hops_[static_cast<usize>(at.hop)].base + kDirLen) != 0;
  int hop = hops_[static_cast<usize>(at.hop)].next;
  for (int skipped = has_tables ? 2 : 0; hop >= 0 && skipped > 0; --skipped)
    hop = hops_[static_cast<usize>(hop)].next;
  for (; hop >= 0; hop = hops_[static_cast<usize>(hop)].next) {
    const Hop& object = hops_[static_cast<usize>(hop)];
    const std::optional<MapEntry> entry = find_entry(map.value(), object);
    const DebugType* elem = entry ? context_.debug->find_type(entry->elem_type) : nullptr;
    if (elem == nullptr || object.at < entry->elem) continue;
    path += fmt::format("[{}]", print_key(entry->key_type, entry->key));
    at = {elem, entry->elem, object.at, object.next};
    return true;
  }
  return false;
}

bool Walk::run(const DebugType* type, u64 address, u64 target, int hop) {
  At at{type, address, target, hop};
  for (u32 step = 0; step < kMaxSteps && at.type != nullptr; ++step) {
    const Kind kind = at.type->kind;
    if (at.hop < 0 && at.target == at.address && (kind == Kind::kSlice || kind == Kind::kString)) {
      type_name = at.type->name;
      return true;
    }
    if (const DebugType* inner = step_into(*at.type, at.address, at.target)) {
      at.type = inner;
      continue;
    }
    if (at.hop < 0) return false;
    const Hop& object = hops_[static_cast<usize>(at.hop)];
    std::optional<u64> pointer = words_.find(at.target);
    if (!pointer) return false;
    if (kind == Kind::kMap) {
      if (step_into_map(at)) continue;
      path += "[key]";
      return false;
    }
    const DebugType* next = nullptr;
    if (kind == Kind::kPointer) {
      next = at.type->elem;
    } else if (kind == Kind::kSlice) {
      next = at.type->elem;
      if (next == nullptr || next->size_bytes == 0 || object.at < *pointer) return false;
      u64 index = (object.at - *pointer) / next->size_bytes;
      path += fmt::format("[{}]", index);
      *pointer += index * next->size_bytes;
    } else if (kind == Kind::kInterface) {
      std::optional<u64> word = words_.find(at.address);
      next = word ? find_dynamic_type(context_, *word) : nullptr;
    }
    at = {next, *pointer, object.at, object.next};
  }
  return false;
}

// A variable of a frame, as far as it is in memory or registers at the event.
struct RootWord {
  const read::Variable* variable;
  u64 value;
  u64 offset;                      // of this word in the variable
  std::optional<u64> word_before;  // at offset - 8: what tells the type of an interface
};

// What is live across the grow path's call is live across the append. Ascending.
std::vector<TargetAddr> live_slots_of_append(const Append& append) {
  using LocationKind = program::ValueLocation::Kind;
  std::vector<TargetAddr> slots;
  for (const sites::LivePointer& pointer : append.site->site.live_pointers) {
    if (pointer.at_branch.kind == LocationKind::kStackSlot && pointer.at_branch.addend == 0)
      slots.push_back(append.frames[0].sp + static_cast<u64>(pointer.at_branch.disp));
  }
  std::ranges::sort(slots);
  return slots;
}

class NameSearch {
 public:
  NameSearch(Context& context, const Append& append, const View& view)
      : context_(context), append_(append), view_(view), memory_(context, append) {}
  HolderName run();

 private:
  // A name that leads all the way ends the search; the first other one is kept for the end.
  bool take(std::optional<HolderName> name);
  void note_setter(const FrameWord& word);
  HolderName best_known() const;
  HolderName run_from(const Hop& object);
  HolderName in_frame();
  std::optional<HolderName> closure_name() const;
  std::optional<HolderName> from_stack(int hop);
  std::optional<HolderName> from_global(const heap::HeaderHit& hit, int hop);
  std::optional<HolderName> from_variable(const RootWord& root, int hop);
  bool lead(Walk& walk, const RootWord& root, const DebugType* type, int hop);
  std::optional<HolderName> from_declared(const FrameWord& word, const RootWord& root, int hop);
  std::optional<HolderName> from_object(int hop);
  FrameWord word_of(const heap::StackFrame& frame, TargetAddr at) const;
  void scan_stack(const std::vector<int>& frontier, std::vector<int>& next);
  bool scan_heap(const std::vector<int>& frontier, std::vector<int>& next);
  void push(const Hop& hop, std::vector<int>& next);
  std::vector<RootWord> words_of(const read::Variable& variable, const heap::StackFrame& frame,
                                 bool innermost) const;

  Context& context_;
  const Append& append_;
  const View& view_;
  const Words memory_;
  std::vector<Hop> hops_;
  HolderName whole_, partial_;
  HolderName setter_;  // without a name: where the first word on the way was set
};

// The holder is a closure when its first word is a function's entry.
std::optional<HolderName> NameSearch::closure_name() const {
  if (context_.debug == nullptr) return std::nullopt;
  std::optional<u64> code = context_.memory.find<u64>(view_.object);
  if (!code) return std::nullopt;
  ImageAddr pc = context_.bias().to_image(TargetAddr(*code));
  std::optional<read::Function> function = context_.binary.pclntab().find_function(pc);
  if (!function || function->entry != pc) return std::nullopt;
  std::string name(function->name);
  for (const read::DebugInfo::Capture& capture : context_.debug->captures_at(pc)) {
    if (capture.by_reference || view_.object.value + capture.offset != view_.ptr_word.value)
      continue;
    std::string type = capture.type != nullptr ? capture.type->name : "";
    return HolderName{capture.name + " in " + short_function(name), type, name};
  }
  return HolderName{"captured slice in " + short_function(name), "", name};
}

std::vector<RootWord> NameSearch::words_of(const read::Variable& variable,
                                           const heap::StackFrame& frame, bool innermost) const {
  std::vector<RootWord> words;
  FrameValues values{frame, append_.stack, innermost ? append_.event->regs : nullptr};
  for (const Piece& piece : variable.pieces) {
    if (piece.where != Piece::Where::kRegister && piece.where != Piece::Where::kCfa) continue;
    for (u32 inside = 0; inside + 8 <= piece.size_bytes; inside += 8) {
      u64 offset = u64{piece.byte_offset} + inside;
      std::optional<Word> word = find_word(variable, offset, values);
      if (!word) continue;
      std::optional<Word> before =
          offset < 8 ? std::nullopt : find_word(variable, offset - 8, values);
      words.push_back(
          {&variable, word->value, offset, before ? std::optional(before->value) : std::nullopt});
    }
  }
  return words;
}

// On from a root of `type`, whose value points to hops_[hop]; false when the types end before the
// header.
bool NameSearch::lead(Walk& walk, const RootWord& root, const DebugType* type, int hop) {
  const Hop& object = hops_[static_cast<usize>(hop)];
  if (type->kind == Kind::kMap) return walk.run_map(type, hop);
  if (type->kind == Kind::kPointer) return walk.run(type->elem, root.value, object.at, object.next);
  if (type->kind == Kind::kSlice && type->elem != nullptr && type->elem->size_bytes != 0 &&
      object.at >= root.value) {
    u64 index = (object.at - root.value) / type->elem->size_bytes;
    walk.path = fmt::format("[{}]", index);
    return walk.run(type->elem, root.value + index * type->elem->size_bytes, object.at,
                    object.next);
  }
  if (type->kind == Kind::kInterface && root.word_before)
    return walk.run(find_dynamic_type(context_, *root.word_before), root.value, object.at,
                    object.next);
  return false;
}

// A word of a stack variable points to hops_[hop]. Its own bytes are not re-read: only the type
// counts.
std::optional<HolderName> NameSearch::from_variable(const RootWord& root, int hop) {
  const read::Variable& variable = *root.variable;
  const DebugType* type = variable.type;
  std::string path = variable.name;
  Walk walk(context_, memory_, hops_);
  if (variable.is_escaped) {
    const Hop& object = hops_[static_cast<usize>(hop)];
    bool whole = walk.run(type, root.value, object.at, object.next);
    return HolderName{path + walk.path + (whole ? "" : "…"), walk.type_name, variable.function};
  }
  u64 base = 0;
  for (u32 step = 0; step < kMaxSteps && type != nullptr && type->kind == Kind::kStruct; ++step) {
    const DebugType* inner = nullptr;
    for (const DebugType::Field& field : type->fields) {
      bool holds = field.type != nullptr && root.offset >= base + field.offset &&
                   root.offset < base + field.offset + field.type->size_bytes;
      if (!holds) continue;
      path += "." + field.name;
      base += field.offset;
      inner = field.type;
      break;
    }
    type = inner;
  }
  if (type == nullptr) return std::nullopt;
  if (type->kind == Kind::kMap && !lead(walk, root, type, hop))
    return HolderName{path + (walk.path.empty() ? "[key]" : walk.path + "…"), "",
                      variable.function};
  if (type->kind == Kind::kMap)
    return HolderName{path + walk.path, walk.type_name, variable.function};
  if (type->kind == Kind::kChan) return HolderName{"<-" + path, "", variable.function};
  const bool may_lead =
      type->kind == Kind::kPointer || type->kind == Kind::kSlice || type->kind == Kind::kInterface;
  if (!may_lead || (type->kind == Kind::kInterface && root.offset != base + 8)) return std::nullopt;
  bool whole = lead(walk, root, type, hop);
  return HolderName{path + walk.path + (whole ? "" : "…"), walk.type_name, variable.function};
}

// What declared variable of a frame does `word` belong to, which points to hops_[hop] or is it?
std::optional<HolderName> NameSearch::from_declared(const FrameWord& word, const RootWord& root,
                                                    int hop) {
  std::string type;
  const Hop& object = hops_[static_cast<usize>(hop)];
  auto leads = [&](DeclaredWord& declared) {
    Walk walk(context_, memory_, hops_);
    const DebugType* elem = declared.type->elem;
    if (word.object_size != 0 && declared.type->kind != Kind::kMap) {
      const bool is_array = declared.type->kind == Kind::kSlice;
      if (elem == nullptr || elem->size_bytes == 0) return false;
      if (is_array ? object.size % elem->size_bytes != 0 : object.size != elem->size_bytes)
        return false;
    }
    if (!lead(walk, root, declared.type, hop)) return false;
    declared.path += walk.path;
    type = walk.type_name;
    return true;
  };
  const bool may_be_only = word.object_size == 0;
  if (std::optional<DeclaredWord> found = find_declared_word(context_, word, leads, may_be_only))
    return HolderName{found->path, type, found->function};
  auto may_hold = [&](DeclaredWord& declared) {
    if (declared.type->kind == Kind::kChan) declared.path = "<-" + declared.path;
    if (declared.type->kind == Kind::kMap) declared.path += "[key]";
    return declared.type->kind == Kind::kMap || declared.type->kind == Kind::kChan;
  };
  std::optional<DeclaredWord> found = find_declared_word(context_, word, may_hold, false);
  if (!found) note_setter(word);
  return found ? std::optional(HolderName{found->path, "", found->function}) : std::nullopt;
}

// An object on the stack of which only the code knows where it is.
std::optional<HolderName> NameSearch::from_object(int hop) {
  const Hop& object = hops_[static_cast<usize>(hop)];
  if (object.frame == nullptr) return std::nullopt;
  FrameWord word = word_of(*object.frame, TargetAddr(object.base));
  word.object_size = object.size;
  return from_declared(word, {nullptr, object.base, 0, {}}, hop);
}

FrameWord NameSearch::word_of(const heap::StackFrame& frame, TargetAddr at) const {
  const bool is_innermost = &frame == &append_.frames[0];
  const sites::AppendSite& site = append_.site->site;
  return {frame, is_innermost ? site.branch : frame.pc,
          is_innermost ? site.call : frame.lookup_pc(),
          static_cast<i64>(at.value - frame.sp.value)};
}

std::optional<HolderName> NameSearch::from_stack(int hop) {
  if (context_.debug == nullptr) return std::nullopt;
  const Hop& object = hops_[static_cast<usize>(hop)];
  std::optional<HolderName> partial;
  for (usize i = append_.frames.size(); i-- > 0;) {
    const heap::StackFrame& frame = append_.frames[i];
    for (const read::Variable& variable :
         context_.debug->variables_at(frame.lookup_pc(), frame.pc)) {
      if (variable.type == nullptr) continue;
      for (const RootWord& word : words_of(variable, frame, i == 0)) {
        if (word.value < object.base || word.value >= object.base + object.size) continue;
        std::optional<HolderName> name = from_variable(word, hop);
        if (!name) continue;
        if (!name->type.empty()) return name;
        if (!partial) partial = name;
      }
    }
  }
  return partial;
}

std::optional<HolderName> NameSearch::from_global(const heap::HeaderHit& hit, int hop) {
  if (context_.debug == nullptr) return std::nullopt;
  ImageAddr at = context_.bias().to_image(hit.at);
  std::optional<read::GlobalVariable> global = context_.debug->find_global(at);
  if (!global || global->type == nullptr) return std::nullopt;
  // A way through the scheduler's or allocator's own tables is no name a person would use.
  if (global->name.starts_with("runtime.")) return std::nullopt;
  Walk walk(context_, memory_, hops_);
  bool whole =
      walk.run(global->type, context_.bias().to_target(global->addr).value, hit.at.value, hop);
  return HolderName{short_function(global->name) + walk.path + (whole ? "" : "…"), walk.type_name,
                    ""};
}

bool NameSearch::take(std::optional<HolderName> name) {
  if (!name || name->name.empty()) return false;
  if (name->type.empty()) {
    if (partial_.name.empty()) partial_ = *std::move(name);
    return false;
  }
  whole_ = *std::move(name);
  return true;
}

// The first one is the nearest to the header.
void NameSearch::note_setter(const FrameWord& word) {
  // A register is only where the value went last.
  if (setter_.set_at || !word.slot || is_standard_library(word.frame.function.name)) return;
  const std::vector<ImageAddr> setters = find_setters(context_, word);
  if (setters.empty()) return;
  setter_.set_at = setters.front();
  setter_.set_in = word.frame.function;
}

HolderName NameSearch::best_known() const {
  return partial_.name.empty() ? setter_ : partial_;
}

void NameSearch::push(const Hop& hop, std::vector<int>& next) {
  bool known =
      std::any_of(hops_.begin(), hops_.end(), [&](const Hop& h) { return h.base == hop.base; });
  if (!known && next.size() >= kMaxFrontier) ++context_.left_out.holders;
  if (known || next.size() >= kMaxFrontier) return;
  hops_.push_back(hop);
  next.push_back(static_cast<int>(hops_.size() - 1));
}

// Objects that the compiler kept on the stack, and words of frames without a variable.
void NameSearch::scan_stack(const std::vector<int>& frontier, std::vector<int>& next) {
  for (usize i = 0; i < append_.frames.size(); ++i) {
    const heap::StackFrame& frame = append_.frames[i];
    const std::vector<heap::StackObject> objects = heap::stack_objects(context_.binary, frame);
    const std::vector<TargetAddr> live =
        i == 0 ? live_slots_of_append(append_) : heap::live_pointer_slots(context_.binary, frame);
    for (TargetAddr at = frame.sp; at < frame.cfa; at = at + 8) {
      const std::optional<u64> value = append_.stack.find_word(at);
      if (!value) break;
      for (int hop : frontier) {
        const Hop& target = hops_[static_cast<usize>(hop)];
        if (*value < target.base || *value >= target.base + target.size) continue;
        auto object = std::ranges::find_if(objects, [&](const heap::StackObject& o) {
          return at >= o.begin && at < o.begin + o.size_bytes;
        });
        if (object != objects.end())
          push({object->begin.value, object->size_bytes, at.value, hop, &frame}, next);
        else if (std::ranges::binary_search(live, at) &&
                 take(from_declared(word_of(frame, at),
                                    {nullptr, *value, 0, append_.stack.find_word(at - 8)}, hop)))
          return;
      }
    }
  }
}

// True when it led to a global.
bool NameSearch::scan_heap(const std::vector<int>& frontier, std::vector<int>& next) {
  std::vector<heap::ArrayRange> ranges;
  for (int hop : frontier) {
    const Hop& h = hops_[static_cast<usize>(hop)];
    ranges.push_back({TargetAddr(h.base), TargetAddr(h.base + h.size)});
  }
  heap::ScanStats stats;
  for (const heap::HeaderHit& hit : context_.scanner.scan(ranges, kMaxScanBytes, &stats)) {
    if (hit.array >= frontier.size()) continue;
    int hop = frontier[hit.array];
    if (!hit.in_globals)
      push({hit.holder.value, hit.holder_size, hit.at.value, hop}, next);
    else if (take(from_global(hit, hop)))
      return true;
  }
  return false;
}

// Back from the object that holds the header.
HolderName NameSearch::run_from(const Hop& object) {
  hops_.push_back(object);
  std::vector<int> frontier{0};
  for (u32 depth = 0; depth < kMaxHops && !frontier.empty(); ++depth) {
    std::sort(frontier.begin(), frontier.end(), [&](int a, int b) {
      return hops_[static_cast<usize>(a)].base < hops_[static_cast<usize>(b)].base;
    });
    std::vector<int> next;
    for (int hop : frontier) {
      if (take(from_stack(hop)) || take(from_object(hop))) return whole_;
    }
    scan_stack(frontier, next);
    if (!whole_.name.empty() || scan_heap(frontier, next)) return whole_;
    frontier = std::move(next);
  }
  return best_known();
}

// The header's own words are words of a frame: of the append's, or of a caller's or another
// goroutine's, as it was when the view was found.
HolderName NameSearch::in_frame() {
  const bool is_innermost = view_.same_frame && !append_.frames.empty();
  const std::optional<read::Function> function = context_.binary.pclntab().find_function(
      is_innermost ? append_.site->site.branch : view_.pc - 1);
  if (!function) return {};
  const ImageAddr at = is_innermost ? append_.site->site.branch : view_.pc;
  heap::StackFrame frame;
  frame.function = *function;
  frame.pc = at;
  frame.cfa = view_.frame.cfa;
  const std::optional<i32> delta = context_.binary.pclntab().find_sp_delta(*function, at);
  if (!delta) return {};
  frame.sp = frame.cfa - (static_cast<u64>(*delta) + 8);
  FrameWord word{frame, at, is_innermost ? append_.site->site.call : at - 1, {}};
  if (view_.ptr_word)
    word.slot = static_cast<i64>(view_.ptr_word.value - frame.sp.value);
  else if (is_innermost && view_.ptr_from.kind == program::ValueLocation::Kind::kRegister)
    word.reg = view_.ptr_from.reg;
  else if (is_innermost && view_.ptr_from.kind == program::ValueLocation::Kind::kStackSlot)
    word.slot = view_.ptr_from.disp;
  const sites::AppendSite& site = append_.site->site;
  auto is_such_slice = [&](DeclaredWord& declared) {
    const DebugType* elem = declared.type->elem;
    if (declared.type->kind != Kind::kSlice || elem == nullptr) return false;
    const bool is_shape = elem->name.find("go.shape.") != std::string::npos;
    if (site.type_addr && elem->runtime_type && !is_shape)
      return site.type_addr == elem->runtime_type;
    return elem->size_bytes == append_.event->append.elem_size;
  };
  const std::optional<DeclaredWord> found =
      find_declared_word(context_, word, is_such_slice, false);
  if (!found) note_setter(word);
  if (!found) return setter_;
  return {found->path, found->type == nullptr ? "" : found->type->name, found->function};
}

HolderName NameSearch::run() {
  if (view_.holder == findings::Holder::kGlobal) {
    heap::HeaderHit hit;
    hit.at = view_.ptr_word;
    return from_global(hit, -1).value_or(HolderName());
  }
  if (view_.holder == findings::Holder::kHeap) {
    if (std::optional<HolderName> closure = closure_name()) return *closure;
    HolderName name = run_from({view_.object.value, view_.object_size, view_.ptr_word.value, -1});
    if (!name.name.empty() || !view_.first_ptr_word) return name;
    // It has moved since, and the stack is as it was before.
    hops_.clear();
    return run_from(
        {view_.first_object.value, view_.first_object_size, view_.first_ptr_word.value, -1});
  }
  for (const heap::StackFrame& frame : append_.frames) {
    for (const heap::StackObject& object : heap::stack_objects(context_.binary, frame)) {
      const bool holds = view_.ptr_word >= object.begin &&
                         view_.ptr_word < object.begin + object.size_bytes &&
                         view_.g.value == append_.event->g;
      if (holds)
        return run_from({object.begin.value, object.size_bytes, view_.ptr_word.value, -1, &frame});
    }
  }
  return in_frame();
}

}  // namespace

HolderName find_holder_name(Context& context, const Append& append, const View& view) {
  return NameSearch(context, append, view).run();
}

}  // namespace geist::judge
