// Candidates are counted by variable: two fields of one variable are that variable.
#include "judge/declared.h"

#include <algorithm>

#include <fmt/format.h>

#include "program/slot_writes.h"

namespace geist::judge {
namespace {

using read::DebugType;
using read::DeclaredVariable;
using read::Kind;

constexpr u32 kMaxDepth = 4;
constexpr usize kMaxWords = 256;
constexpr u64 kMaxArray = 4;

struct FoundWord {
  DeclaredWord word;
  const DeclaredVariable* variable;
};

// All words of a variable that hold a pointer.
void list_words(const DebugType* type, const std::string& path, u32 depth,
                std::vector<DeclaredWord>& out) {
  if (type == nullptr || depth == 0 || out.size() >= kMaxWords) return;
  switch (type->kind) {
    case Kind::kStruct:
      for (const DebugType::Field& field : type->fields)
        list_words(field.type, path + "." + field.name, depth - 1, out);
      return;
    case Kind::kArray:
      for (u64 i = 0; i < std::min(type->length, kMaxArray); ++i)
        list_words(type->elem, fmt::format("{}[{}]", path, i), depth - 1, out);
      return;
    case Kind::kSlice:
    case Kind::kPointer:
    case Kind::kMap:
    case Kind::kChan:
    case Kind::kInterface:
      out.push_back({path, type, {}});
      return;
    default:
      return;
  }
}

// Where DWARF has the variable at this pc it is there, and not in a word that nobody explains.
bool is_located(const std::vector<read::Variable>& located, const DeclaredVariable& variable) {
  return std::any_of(located.begin(), located.end(), [&](const read::Variable& other) {
    return other.name == variable.name && other.inline_depth == variable.inline_depth &&
           other.decl_line == variable.decl_line && !other.is_escaped;
  });
}

bool is_set_on_its_line(const DeclaredVariable& variable,
                        const std::vector<std::vector<read::SourceFrame>>& writers) {
  return std::any_of(writers.begin(), writers.end(), [&](const auto& chain) {
    if (chain.size() <= variable.inline_depth) return false;
    return chain[chain.size() - 1 - variable.inline_depth].line == variable.decl_line;
  });
}

// Names it, or takes its address.
bool touches(const x86::Insn& insn, i64 begin, u64 size) {
  for (u32 k = 0; k < insn.operand_count; ++k) {
    const x86::Operand& operand = insn.operands[k];
    if (operand.kind != x86::Operand::Kind::kMem || operand.mem.base != x86::kRsp) continue;
    if (operand.mem.disp >= begin && operand.mem.disp < begin + static_cast<i64>(size)) return true;
  }
  return false;
}

std::vector<u32> find_touching(const program::FunctionCode& code, i64 begin, u64 size) {
  std::vector<u32> found;
  for (u32 i = 0; i < code.briefs().size(); ++i) {
    const bool may = (code.briefs()[i].reads & x86::bit(x86::kRsp)) != 0 &&
                     code.briefs()[i].flow == x86::Flow::kNext;
    if (may && touches(code.insn(i), begin, size)) found.push_back(i);
  }
  return found;
}

// One word of one variable; of several words of one variable the variable. Nothing for none, or for
// several variables.
std::optional<DeclaredWord> only_one(const std::vector<FoundWord>& words) {
  if (words.empty()) return std::nullopt;
  for (const FoundWord& other : words) {
    if (other.variable != words.front().variable) return std::nullopt;
  }
  if (words.size() == 1) return words.front().word;
  return DeclaredWord{words.front().variable->name + "…", nullptr, words.front().word.function};
}

}  // namespace

std::vector<ImageAddr> find_setters(Context& context, const FrameWord& word) {
  const program::FunctionCode* code = context.codes.find(word.frame.function);
  const std::optional<u32> at = code == nullptr ? std::nullopt : code->find_insn(word.at);
  if (!at || (!word.slot && word.reg == x86::kNoReg)) return {};
  auto writes = [&](u32 insn) {
    if (word.slot) return program::writes_slot(code->insn(insn), *word.slot);
    return (code->briefs()[insn].writes & x86::bit(word.reg)) != 0;
  };
  const std::optional<std::vector<u32>> setters =
      word.object_size != 0 ? find_touching(*code, *word.slot, word.object_size)
                            : program::find_writers(*code, *at, writes);
  std::vector<ImageAddr> found;
  if (setters)
    for (u32 setter : *setters) found.push_back(code->briefs()[setter].addr);
  std::ranges::sort(found);
  return found;
}

std::optional<DeclaredWord> find_declared_word(Context& context, const FrameWord& word,
                                               const std::function<bool(DeclaredWord&)>& fits,
                                               bool may_be_only) {
  if (context.debug == nullptr) return std::nullopt;
  const std::vector<DeclaredVariable> declared = context.debug->declared_at(word.scope);
  const std::vector<read::Variable> located = context.debug->variables_at(word.scope, word.at);
  std::vector<FoundWord> all;
  for (const DeclaredVariable& variable : declared) {
    if (is_located(located, variable)) continue;
    std::vector<DeclaredWord> words;
    list_words(variable.type, variable.name, kMaxDepth, words);
    for (DeclaredWord& candidate : words) {
      candidate.function = variable.function;
      if (fits(candidate)) all.push_back({std::move(candidate), &variable});
    }
  }
  if (all.empty()) return std::nullopt;
  if (word.slot && word.object_size == 0) {
    const i64 cfa_offset =
        *word.slot - static_cast<i64>(word.frame.cfa.value - word.frame.sp.value);
    std::vector<FoundWord> there;
    std::ranges::copy_if(all, std::back_inserter(there), [&](const FoundWord& found) {
      return std::ranges::binary_search(found.variable->cfa_slots, cfa_offset);
    });
    if (std::optional<DeclaredWord> one = only_one(there)) return one;
  }
  std::vector<std::vector<read::SourceFrame>> writers;
  for (ImageAddr setter : find_setters(context, word))
    writers.push_back(context.binary.pclntab().source_frames(word.frame.function, setter));
  std::vector<FoundWord> set_there;
  std::ranges::copy_if(all, std::back_inserter(set_there), [&](const FoundWord& found) {
    return is_set_on_its_line(*found.variable, writers);
  });
  if (std::optional<DeclaredWord> one = only_one(set_there)) return one;
  return may_be_only ? only_one(all) : std::nullopt;
}

}  // namespace geist::judge
