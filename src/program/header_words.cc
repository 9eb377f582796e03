// How it was made is asked first: that is what the words hold now. What it is used for later comes
// second.
#include "program/header_words.h"

#include <algorithm>

#include "program/go_abi.h"
#include "program/slot_writes.h"

namespace geist::program {
namespace {

using x86::Flow;

constexpr usize kMaxSegments = 16;

// A run of instructions without a call, in one block.
struct Segment {
  u32 first = 0, end = 0;   // [first, end)
  std::optional<u32> call;  // in front of it
  bool operator==(const Segment&) const = default;
};

// Segments that can only be run one behind the other.
struct Path {
  std::vector<Segment> segments;  // last first
  bool at_entry = false;          // registers hold the function's arguments
  const std::optional<u32>& call() const { return segments.back().call; }  // its results
};

// How the words came to hold what they hold.
class Making {
 public:
  Making(const FunctionCode& code, const Callees& callees) : code_(code), callees_(callees) {}

  std::optional<HeaderWords> find(u32 at, i64 ptr_slot) const;

 private:
  std::optional<std::vector<Segment>> reaching_stores(u32 at, i64 slot) const;
  Segment segment_of(u32 insn) const;
  Path path_to(const Segment& segment) const;
  bool ends_segment(u32 insn) const;
  void execute(const Path& path, SymbolicState& state) const;
  std::optional<HeaderWords> made_in(const Segment& segment, i64 ptr_slot) const;

  const FunctionCode& code_;
  const Callees& callees_;
};

bool Making::ends_segment(u32 insn) const {
  const x86::Brief& brief = code_.briefs()[insn];
  return brief.flow == Flow::kCall && callees_(brief.target) != Callee::kKeepsRegisters;
}

Segment Making::segment_of(u32 insn) const {
  const Block& block = code_.blocks()[code_.block_of(insn)];
  Segment segment{.first = insn, .end = insn, .call = {}};
  while (segment.first > block.first && !ends_segment(segment.first - 1)) --segment.first;
  while (segment.end <= block.last && !ends_segment(segment.end)) ++segment.end;
  if (segment.first > block.first) segment.call = segment.first - 1;
  return segment;
}

// Back to the last call, where only one way leads there.
Path Making::path_to(const Segment& segment) const {
  Path path{{segment}, false};
  while (!path.call() && path.segments.size() < kMaxSegments) {
    const u32 block = code_.block_of(path.segments.back().first);
    const std::span<const u32> before = code_.blocks()[block].preds;
    // The entry only looks whether the stack is large enough, and its registers stay.
    path.at_entry = block == 0;
    if (block == 0 || before.size() != 1) break;
    const u32 last = code_.blocks()[before[0]].last;
    if (ends_segment(last)) {
      path.segments.push_back({last + 1, last + 1, last});
      break;
    }
    path.segments.push_back(segment_of(last));
  }
  return path;
}

// Where the word was written last, on every way to `at`; nothing when it was not on one.
std::optional<std::vector<Segment>> Making::reaching_stores(u32 at, i64 slot) const {
  const std::optional<std::vector<u32>> writers =
      find_writers(code_, at, [&](u32 insn) { return writes_slot(code_.insn(insn), slot); });
  if (!writers) return std::nullopt;
  std::vector<Segment> stores;
  for (u32 writer : *writers) {
    const Segment segment = segment_of(writer);
    if (std::find(stores.begin(), stores.end(), segment) == stores.end()) stores.push_back(segment);
  }
  return stores;
}

// With RSP as it is behind the prologue.
void Making::execute(const Path& path, SymbolicState& state) const {
  for (usize k = path.segments.size(); k-- > 0;) {
    const Segment& segment = path.segments[k];
    for (u32 i = segment.first; i < segment.end; ++i) {
      const x86::Brief& brief = code_.briefs()[i];
      const bool moves_stack = (brief.writes & x86::bit(x86::kRsp)) != 0;
      if (brief.flow != Flow::kCall && !moves_stack) state.execute(code_.insn(i));
    }
  }
}

// What the value is, when it is one symbol as it came. A copy: interning moves symbols.
std::optional<Symbol> as_symbol(const SymbolTable& table, const Expr& value) {
  if (!value.is_offset() || value.constant != 0) return std::nullopt;
  return table.get(value.terms[0].symbol);
}

bool is_register(const std::optional<Symbol>& symbol) {
  return symbol && symbol->kind == Symbol::Kind::kReg;
}

// What stands `words` words behind a value where it comes from: the result or argument, or the word
// of memory.
std::optional<Expr> neighbour(SymbolTable& table, std::optional<Symbol> symbol, i64 words) {
  if (symbol && symbol->kind == Symbol::Kind::kLoad) {
    symbol->address = add(symbol->address, Expr{8 * words, {}});
    return table.expr(*symbol);
  }
  if (!is_register(symbol)) return std::nullopt;
  auto at = std::find(kIntegerArguments.begin(), kIntegerArguments.end(), symbol->reg);
  if (kIntegerArguments.end() - at <= words) return std::nullopt;
  symbol->reg = at[words];
  return table.expr(*symbol);
}

std::optional<KeptWord> find_slot(const SymbolicState& state, const std::optional<Expr>& value) {
  if (!value) return std::nullopt;
  for (const auto& [slot, held] : state.written_slots()) {
    if (held == *value) return KeptWord{slot, 0};
  }
  return std::nullopt;
}

std::optional<HeaderWords> Making::made_in(const Segment& segment, i64 ptr_slot) const {
  const Path path = path_to(segment);
  SymbolTable table;
  SymbolicState state(table, SymbolicState::Frame::kPrivate);
  execute(path, state);
  const std::optional<Symbol> ptr = as_symbol(table, state.slot(ptr_slot));
  const bool is_result = is_register(ptr) && path.call();
  if (is_register(ptr) && !is_result && !path.at_entry) return std::nullopt;
  std::optional<KeptWord> len = find_slot(state, neighbour(table, ptr, 1));
  if (!len) return std::nullopt;
  HeaderWords words{ptr_slot, *len, find_slot(state, neighbour(table, ptr, 2)), false, {}};
  if (is_result) words.made_by = code_.briefs()[*path.call()].addr;
  return words;
}

std::optional<HeaderWords> Making::find(u32 at, i64 ptr_slot) const {
  const std::optional<std::vector<Segment>> stores = reaching_stores(at, ptr_slot);
  if (!stores || stores->empty()) return std::nullopt;
  std::optional<HeaderWords> all;
  for (const Segment& segment : *stores) {
    std::optional<HeaderWords> words = made_in(segment, ptr_slot);
    if (!words) return std::nullopt;
    if (!all) all = words;
    if (all->len != words->len || all->cap != words->cap) return std::nullopt;
    if (all->made_by != words->made_by) all->made_by = {};
  }
  // A word whose value nobody needs any more may hold another by now.
  auto is_as_old = [&](const KeptWord& word) {
    const std::optional<std::vector<Segment>> own = reaching_stores(at, *word.slot);
    return own && std::is_permutation(own->begin(), own->end(), stores->begin(), stores->end());
  };
  if (!is_as_old(all->len)) return std::nullopt;
  if (all->cap && !is_as_old(*all->cap)) all->cap.reset();
  return all;
}

std::optional<KeptWord> as_kept(const SymbolTable& table, const Expr& value) {
  if (value.is_constant()) return KeptWord{std::nullopt, value.constant};
  const std::optional<Symbol> symbol = as_symbol(table, value);
  if (!symbol || symbol->kind != Symbol::Kind::kSlot) return std::nullopt;
  return KeptWord{symbol->slot, 0};
}

// How the words are used from an instruction on.
class Use {
 public:
  Use(const FunctionCode& code, i64 ptr_slot, u64 elem_size, const Callees& callees)
      : code_(code), callees_(callees), ptr_slot_(ptr_slot), elem_size_(elem_size) {
    Symbol symbol;
    symbol.kind = Symbol::Kind::kSlot;
    symbol.slot = ptr_slot;
    ptr_ = table_.expr(symbol);
  }

  void find(u32 from) {
    const SymbolicState start(table_, SymbolicState::Frame::kPrivate);
    (void)CodeWalk(code_, callees_).run(from, start, [&](u32 insn, SymbolicState& state) {
      look(insn, state);
      return taken_ && taken_->cap;
    });
  }
  // As neighbouring arguments or results.
  const std::optional<HeaderWords>& taken() const { return taken_; }
  // By an index.
  std::optional<HeaderWords> indexed() const;

 private:
  struct Comparison {
    Expr index;
    KeptWord len;
  };
  void look(u32 insn, SymbolicState& state);
  void look_at_comparison(const x86::Insn& insn, SymbolicState& state);
  void look_at_access(const x86::Insn& insn, SymbolicState& state);
  void take(const SymbolicState& state, bool is_call);
  bool is_accessed(const Expr& index) const;

  static constexpr usize kMaxKept = 64;  // comparisons, accesses
  const FunctionCode& code_;
  const Callees& callees_;
  i64 ptr_slot_;
  u64 elem_size_;
  SymbolTable table_;
  Expr ptr_;
  std::optional<HeaderWords> taken_;
  std::vector<Comparison> comparisons_;
  std::vector<Expr> accesses_;  // relative to the pointer
};

void Use::look(u32 insn, SymbolicState& state) {
  const x86::Brief& brief = code_.briefs()[insn];
  if (brief.flow == Flow::kRet) return take(state, false);
  if (brief.flow == Flow::kCall) {
    if (callees_(brief.target) == Callee::kGo) take(state, true);
    return;
  }
  const x86::Insn& whole = code_.insn(insn);
  if (whole.op == x86::Op::kCmp)
    look_at_comparison(whole, state);
  else
    look_at_access(whole, state);
}

// Of a result's registers nobody says how many there are, so there all three must be words that
// were kept.
void Use::take(const SymbolicState& state, bool is_call) {
  auto word = [&](usize k) -> std::optional<KeptWord> {
    if (k >= kIntegerArguments.size()) return std::nullopt;
    const Expr& value = state.reg(kIntegerArguments[k]);
    return value == ptr_ ? std::nullopt : as_kept(table_, value);
  };
  for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
    if (!(state.reg(kIntegerArguments[i]) == ptr_)) continue;
    const std::optional<KeptWord> len = word(i + 1), cap = word(i + 2);
    const bool is_whole = len && cap && (is_call || (len->slot && cap->slot));
    if (is_whole || (len && is_call && !taken_))
      taken_ = HeaderWords{ptr_slot_, *len, cap, false, {}};
  }
}

void Use::look_at_comparison(const x86::Insn& insn, SymbolicState& state) {
  const Expr a = state.value_of(insn.operands[0]), b = state.value_of(insn.operands[1]);
  auto keep = [&](const Expr& index, const Expr& len) {
    const std::optional<KeptWord> word = as_kept(table_, len);
    if (word && word->slot && !(len == ptr_) && comparisons_.size() < kMaxKept)
      comparisons_.push_back({index, *word});
  };
  keep(a, b);
  keep(b, a);
}

void Use::look_at_access(const x86::Insn& insn, SymbolicState& state) {
  for (u32 i = 0; i < insn.operand_count; ++i) {
    const x86::Operand& operand = insn.operands[i];
    if (operand.kind != x86::Operand::Kind::kMem || accesses_.size() == kMaxKept) continue;
    const Expr address = state.address_of(operand.mem);
    const SymbolId pointer = ptr_.terms[0].symbol;
    const bool is_through = std::any_of(address.terms.begin(), address.terms.end(), [&](Term t) {
      return t.symbol == pointer && t.coefficient == 1;
    });
    if (is_through) accesses_.push_back(add(address, ptr_, -1));
  }
}

// The first element may be all there is.
bool Use::is_accessed(const Expr& index) const {
  if (index.is_constant() && index.constant < 1) return false;
  const i64 size = static_cast<i64>(elem_size_);
  return std::any_of(accesses_.begin(), accesses_.end(), [&](const Expr& access) {
    const Expr rest = add(access, index, -size);
    return rest.is_constant() && rest.constant >= 0 && rest.constant < size;
  });
}

std::optional<HeaderWords> Use::indexed() const {
  std::optional<HeaderWords> found;
  for (const Comparison& comparison : comparisons_) {
    if (!is_accessed(comparison.index)) continue;
    if (found && found->len != comparison.len) return std::nullopt;
    found = HeaderWords{ptr_slot_, comparison.len, {}, true, {}};
  }
  return found;
}

}  // namespace

std::optional<HeaderWords> find_header_words(const FunctionCode& code, ImageAddr pc, i64 ptr_slot,
                                             u64 elem_size, const Callees& callees) {
  const std::optional<u32> at = code.find_insn(pc);
  if (!at) return std::nullopt;
  std::optional<HeaderWords> made = Making(code, callees).find(*at, ptr_slot);
  if (made && made->cap) return made;
  Use use(code, ptr_slot, elem_size, callees);
  use.find(*at);
  const std::optional<HeaderWords> indexed = use.indexed();
  std::optional<HeaderWords> used = use.taken();
  if (indexed && used && used->len == indexed->len)
    used->is_indexed = true;
  else if (indexed)
    used = indexed;
  if (!made) return used;
  if (used && used->len == made->len) {
    made->cap = used->cap;
    made->is_indexed = used->is_indexed;
  }
  return made;
}

std::optional<HeaderWords> find_header_words(CodeCache& codes, const read::Function& function,
                                             ImageAddr pc, i64 ptr_slot, u64 elem_size) {
  const FunctionCode* code = codes.find(function);
  if (code == nullptr) return std::nullopt;
  return find_header_words(*code, pc, ptr_slot, elem_size, callees_of(codes.binary()));
}

}  // namespace geist::program
