// The way back by pointer scans, the way forward by DWARF types; names.h has the picture.
#include "judge/names.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
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

// An object on the way from the root to the header, and where inside it the way goes on.
struct Hop {
  u64 base = 0;
  u64 size = 0;
  u64 at = 0;     // address of the word that leads on (a pointer), or of the header itself
  int next = -1;  // index of the hop that word points to; -1: the header
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

class Walk {
 public:
  Walk(Context& context, const std::vector<Hop>& hops) : context_(context), hops_(hops) {}

  // From a value of `type` at `address` to the word at `target` of the chain, then on through
  // `hop`. Returns false when the types end before the header.
  bool run(const DebugType* type, u64 address, u64 target, int hop);
  std::string path;
  std::string type_name;

 private:
  const DebugType* step_into(const DebugType& type, u64& address, u64 target);
  Context& context_;
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

bool Walk::run(const DebugType* type, u64 address, u64 target, int hop) {
  for (u32 step = 0; step < kMaxSteps && type != nullptr; ++step) {
    bool at_header =
        hop < 0 && target == address && (type->kind == Kind::kSlice || type->kind == Kind::kString);
    if (at_header) {
      type_name = type->name;
      return true;
    }
    if (const DebugType* inner = step_into(*type, address, target)) {
      type = inner;
      continue;
    }
    if (hop < 0) return false;
    const Hop& object = hops_[static_cast<usize>(hop)];
    std::optional<u64> pointer = context_.memory.find<u64>(TargetAddr(target));
    if (!pointer) return false;
    const DebugType* next = nullptr;
    u64 next_address = *pointer;
    switch (type->kind) {
      case Kind::kPointer:
        next = type->elem;
        break;
      case Kind::kSlice: {
        if (type->elem == nullptr || type->elem->size_bytes == 0 || object.at < *pointer)
          return false;
        u64 index = (object.at - *pointer) / type->elem->size_bytes;
        path += fmt::format("[{}]", index);
        next_address += index * type->elem->size_bytes;
        next = type->elem;
        break;
      }
      case Kind::kInterface: {
        std::optional<u64> word = context_.memory.find<u64>(TargetAddr(address));
        next = word ? find_dynamic_type(context_, *word) : nullptr;
        break;
      }
      case Kind::kMap:
        path += "[…]";
        return false;
      default:
        return false;
    }
    type = next;
    address = next_address;
    target = object.at;
    hop = object.next;
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

class NameSearch {
 public:
  NameSearch(Context& context, const Append& append, const View& view)
      : context_(context), append_(append), view_(view) {}
  HolderName run();

 private:
  std::optional<HolderName> closure_name() const;
  std::optional<HolderName> from_stack(int hop);
  std::optional<HolderName> from_global(const heap::HeaderHit& hit, int hop);
  std::optional<HolderName> from_variable(const RootWord& root, int hop);
  std::vector<RootWord> words_of(const read::Variable& variable, const heap::StackFrame& frame,
                                 bool innermost) const;

  Context& context_;
  const Append& append_;
  const View& view_;
  std::vector<Hop> hops_;
};

// The holder is a closure when its first word is a function's entry.
std::optional<HolderName> NameSearch::closure_name() const {
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

// A word of a stack variable points to hops_[hop]. Its own bytes are not re-read: only the type
// counts.
std::optional<HolderName> NameSearch::from_variable(const RootWord& root, int hop) {
  const auto& [at, value, offset, word_before] = root;
  const read::Variable& variable = *at;
  const DebugType* type = variable.type;
  std::string path = variable.name;
  const Hop& object = hops_[static_cast<usize>(hop)];
  if (variable.is_escaped) {
    Walk walk(context_, hops_);
    bool whole = walk.run(type, value, object.at, object.next);
    return HolderName{path + walk.path + (whole ? "" : "…"), walk.type_name, variable.function};
  }
  u64 base = 0;
  for (u32 step = 0; step < kMaxSteps && type != nullptr && type->kind == Kind::kStruct; ++step) {
    const DebugType* inner = nullptr;
    for (const DebugType::Field& field : type->fields) {
      bool holds = field.type != nullptr && offset >= base + field.offset &&
                   offset < base + field.offset + field.type->size_bytes;
      if (!holds) continue;
      path += "." + field.name;
      base += field.offset;
      inner = field.type;
      break;
    }
    type = inner;
  }
  if (type == nullptr) return std::nullopt;
  Walk walk(context_, hops_);
  bool whole = false;
  if (type->kind == Kind::kPointer) {
    whole = walk.run(type->elem, value, object.at, object.next);
  } else if (type->kind == Kind::kSlice && type->elem != nullptr && type->elem->size_bytes != 0 &&
             object.at >= value) {
    u64 index = (object.at - value) / type->elem->size_bytes;
    walk.path = fmt::format("[{}]", index);
    whole = walk.run(type->elem, value + index * type->elem->size_bytes, object.at, object.next);
  } else if (type->kind == Kind::kInterface) {
    const DebugType* dynamic =
        offset == base + 8 && word_before ? find_dynamic_type(context_, *word_before) : nullptr;
    whole = walk.run(dynamic, value, object.at, object.next);
  } else if (type->kind == Kind::kMap) {
    return HolderName{path + "[…]", "", variable.function};
  } else {
    return std::nullopt;
  }
  return HolderName{path + walk.path + (whole ? "" : "…"), walk.type_name, variable.function};
}

std::optional<HolderName> NameSearch::from_stack(int hop) {
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
  ImageAddr at = context_.bias().to_image(hit.at);
  std::optional<read::GlobalVariable> global = context_.debug->find_global(at);
  if (!global || global->type == nullptr) return std::nullopt;
  // A way through the scheduler's or allocator's own tables is no name a person would use.
  if (global->name.starts_with("runtime.")) return std::nullopt;
  Walk walk(context_, hops_);
  bool whole =
      walk.run(global->type, context_.bias().to_target(global->addr).value, hit.at.value, hop);
  return HolderName{short_function(global->name) + walk.path + (whole ? "" : "…"), walk.type_name,
                    ""};
}

HolderName NameSearch::run() {
  if (context_.debug == nullptr) return {};
  if (view_.holder == findings::Holder::kGlobal) {
    heap::HeaderHit hit;
    hit.at = view_.ptr_word;
    return from_global(hit, -1).value_or(HolderName{});
  }
  if (std::optional<HolderName> closure = closure_name()) return *closure;
  hops_.push_back({view_.object.value, view_.object_size, view_.ptr_word.value, -1});
  std::vector<int> frontier{0};
  std::optional<HolderName> partial;
  for (u32 depth = 0; depth < kMaxHops && !frontier.empty(); ++depth) {
    std::vector<heap::ArrayRange> ranges;
    std::sort(frontier.begin(), frontier.end(),
              [&](int a, int b) { return hops_[a].base < hops_[b].base; });
    for (int hop : frontier) {
      std::optional<HolderName> name = from_stack(hop);
      if (name && !name->type.empty()) return *name;
      if (name && !partial) partial = name;
      ranges.push_back(
          {TargetAddr(hops_[hop].base), TargetAddr(hops_[hop].base + hops_[hop].size)});
    }
    std::vector<int> next;
    heap::ScanStats stats;
    for (const heap::HeaderHit& hit : context_.scanner.scan(ranges, kMaxScanBytes, &stats)) {
      if (hit.array >= frontier.size()) continue;
      int hop = frontier[hit.array];
      if (hit.in_globals) {
        std::optional<HolderName> name = from_global(hit, hop);
        if (name && !name->type.empty()) return *name;
        if (name && !partial) partial = name;
        continue;
      }
      bool known = std::any_of(hops_.begin(), hops_.end(),
                               [&](const Hop& h) { return h.base == hit.holder.value; });
      if (!known && next.size() >= kMaxFrontier) ++context_.left_out.holders;
      if (known || next.size() >= kMaxFrontier) continue;
      hops_.push_back({hit.holder.value, hit.holder_size, hit.at.value, hop});
      next.push_back(static_cast<int>(hops_.size() - 1));
    }
    frontier = std::move(next);
  }
  return partial.value_or(HolderName{});
}

}  // namespace

HolderName find_holder_name(Context& context, const Append& append, const View& view) {
  return NameSearch(context, append, view).run();
}

}  // namespace geist::judge
