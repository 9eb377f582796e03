// DebugInfo over its parts: DebugElf holds the bytes, UnitIndex finds the subprogram, ScopeWalk its
// variables, TypeTable the types; Survey, made on the first question about the whole program, finds
// globals, types and functions.
//
// Invariant: everything handed out by pointer (DebugType) lives as long as the DebugInfo; variables
// are copies. Source: DWARF 5 sections 3.3 (subroutines, scopes), 4.1 (variables);
// cmd/internal/dwarf/dwarf.go for Go's attributes.
#include "read/dwarf/debug_info.h"

#include <elfutils/libdw.h>

#include <algorithm>
#include <functional>
#include <map>
#include <type_traits>
#include <utility>

#include "read/dwarf/debug_elf.h"
#include "read/dwarf/die.h"
#include "read/dwarf/location.h"
#include "read/dwarf/survey.h"
#include "read/dwarf/type_table.h"
#include "read/dwarf/unit_index.h"

namespace geist::read {
namespace {

// Go nests inlined calls and blocks some dozen deep; more than this is damage.
constexpr u32 kMaxScopeDepth = 256;
constexpr usize kMaxCachedQueries = 1u << 16;

// "&x" is a pointer to x: what the user wrote is x.
const DebugType* find_pointee(const DebugType* type) {
  return type != nullptr && type->kind == Kind::kPointer ? type->elem : type;
}

}  // namespace

struct DebugInfo::State {
  State(const Image& image, DebugElf opened_elf)
      : elf(std::move(opened_elf)), units(elf.dwarf()), types(image, elf.dwarf()) {}

  Survey& survey();
  const DebugType* find_type_at(std::optional<Dwarf_Off> offset);
  template <typename Read>
  auto variables_in_scope(ImageAddr scope_pc, Read read);
  std::vector<Variable> read_variables(ImageAddr scope_pc, ImageAddr location_pc);
  std::vector<Capture> read_captures(Dwarf_Die function);

  DebugElf elf;
  UnitIndex units;
  TypeTable types;
  std::unique_ptr<Survey> surveyed;
  std::map<std::pair<ImageAddr, ImageAddr>, std::vector<Variable>> variables;
};

namespace {

// Walks the scopes of one subprogram that hold a pc, innermost first, and shows each variable.
class ScopeWalk {
 public:
  using Visit = std::function<void(Dwarf_Die*, const std::string& function, u32 inline_depth)>;
  ScopeWalk(ImageAddr scope_pc, Visit visit) : scope_pc_(scope_pc), visit_(std::move(visit)) {}

  void walk(Dwarf_Die scope, const std::string& function, u32 inline_depth, u32 depth) {
    if (depth > kMaxScopeDepth) return;
    for_each_child(&scope, [&](Dwarf_Die* child) {
      int tag = dwarf_tag(child);
      if (tag == DW_TAG_inlined_subroutine && dwarf_haspc(child, scope_pc_.value) > 0) {
        walk(*child, std::string(find_name(child)), inline_depth + 1, depth + 1);
      } else if (tag == DW_TAG_lexical_block && dwarf_haspc(child, scope_pc_.value) > 0) {
        walk(*child, function, inline_depth, depth + 1);
      }
      return true;
    });
    for_each_child(&scope, [&](Dwarf_Die* child) {
      int tag = dwarf_tag(child);
      if (tag == DW_TAG_formal_parameter || tag == DW_TAG_variable)
        visit_(child, function, inline_depth);
      return true;
    });
  }

 private:
  ImageAddr scope_pc_;
  Visit visit_;
};

// Go identifiers have no dot: names with one are the compiler's own (.dict, and x.ptr x.len x.cap,
// the slots of a header taken apart, whose variable x has the same places in a location list that
// says when they hold it).
bool is_go_name(std::string_view name) {
  return !name.empty() && name.find('.') == std::string_view::npos;
}

std::optional<Variable> read_variable(TypeTable& types, Dwarf_Die* die, ImageAddr location_pc) {
  std::string_view name = find_name(die);
  if (!is_go_name(name) || !find_attr(die, DW_AT_location)) return std::nullopt;
  Variable variable;
  variable.type = types.find_type_of(die);
  if (variable.type == nullptr) return std::nullopt;
  VariableLocation location = read_location(die, location_pc, *variable.type);
  if (location.pieces.empty()) return std::nullopt;
  variable.pieces = std::move(location.pieces);
  variable.len_may_be_cap = location.len_may_be_cap;
  bool is_pointer_to_it = name.front() == '&';
  variable.is_escaped = is_pointer_to_it || location.is_indirect;
  variable.name = name.substr(is_pointer_to_it ? 1 : 0);
  variable.is_parameter = dwarf_tag(die) == DW_TAG_formal_parameter;
  variable.decl_line = static_cast<i32>(find_unsigned(die, DW_AT_decl_line).value_or(0));
  if (is_pointer_to_it) variable.type = find_pointee(variable.type);
  return variable;
}

std::optional<DeclaredVariable> read_declared(TypeTable& types, Dwarf_Die* die) {
  std::string_view name = find_name(die);
  if (!is_go_name(name) || name == "_") return std::nullopt;
  DeclaredVariable variable;
  variable.type = types.find_type_of(die);
  bool is_pointer_to_it = name.front() == '&';
  if (is_pointer_to_it) variable.type = find_pointee(variable.type);
  if (variable.type == nullptr) return std::nullopt;
  variable.name = name.substr(is_pointer_to_it ? 1 : 0);
  variable.decl_line = static_cast<i32>(find_unsigned(die, DW_AT_decl_line).value_or(0));
  variable.cfa_slots = read_cfa_slots(die);
  return variable;
}

}  // namespace

Survey& DebugInfo::State::survey() {
  if (surveyed == nullptr) surveyed = std::make_unique<Survey>(elf.dwarf(), units);
  return *surveyed;
}

const DebugType* DebugInfo::State::find_type_at(std::optional<Dwarf_Off> offset) {
  Dwarf_Die die;
  if (!offset || dwarf_offdie(elf.dwarf(), *offset, &die) == nullptr) return nullptr;
  return types.find(die);
}

// What `read` makes of the variables that are in scope, each with the function that it belongs to.
template <typename Read>
auto DebugInfo::State::variables_in_scope(ImageAddr scope_pc, Read read) {
  std::vector<typename std::invoke_result_t<Read, Dwarf_Die*>::value_type> found;
  std::optional<Dwarf_Die> function = units.find_subprogram(scope_pc);
  if (!function) return found;
  ScopeWalk walk(scope_pc, [&](Dwarf_Die* die, const std::string& in, u32 inline_depth) {
    auto variable = read(die);
    if (!variable) return;
    variable->function = in;
    variable->inline_depth = inline_depth;
    found.push_back(*std::move(variable));
  });
  walk.walk(*function, std::string(find_name(&*function)), 0, 0);
  return found;
}

std::vector<Variable> DebugInfo::State::read_variables(ImageAddr scope_pc, ImageAddr location_pc) {
  return variables_in_scope(scope_pc,
                            [&](Dwarf_Die* die) { return read_variable(types, die, location_pc); });
}

std::vector<DebugInfo::Capture> DebugInfo::State::read_captures(Dwarf_Die function) {
  std::vector<Capture> captures;
  for_each_child(&function, [&](Dwarf_Die* child) {
    std::optional<u64> offset = find_unsigned(child, kDW_AT_go_closure_offset);
    std::string_view name = find_name(child);
    if (dwarf_tag(child) != DW_TAG_variable || !offset || name.empty()) return true;
    Capture capture;
    capture.by_reference = name.front() == '&';
    capture.name = name.substr(capture.by_reference ? 1 : 0);
    capture.offset = *offset;
    capture.type = types.find_type_of(child);
    if (capture.by_reference) capture.type = find_pointee(capture.type);
    captures.push_back(std::move(capture));
    return true;
  });
  std::ranges::sort(captures, {}, &Capture::offset);
  return captures;
}

DebugInfo::DebugInfo() = default;
DebugInfo::~DebugInfo() = default;

Result<std::unique_ptr<DebugInfo>> DebugInfo::open(const Image& image) {
  if (image.find_section(".debug_info") == nullptr) return std::unique_ptr<DebugInfo>();
  GEIST_TRY(elf, DebugElf::open(image));
  std::unique_ptr<DebugInfo> info(new DebugInfo());
  info->state_ = std::make_unique<State>(image, std::move(elf));
  return info;
}

std::vector<Variable> DebugInfo::variables_at(ImageAddr scope_pc, ImageAddr location_pc) {
  std::pair<ImageAddr, ImageAddr> key(scope_pc, location_pc);
  if (auto it = state_->variables.find(key); it != state_->variables.end()) return it->second;
  if (state_->variables.size() >= kMaxCachedQueries) state_->variables.clear();
  return state_->variables[key] = state_->read_variables(scope_pc, location_pc);
}

std::vector<DeclaredVariable> DebugInfo::declared_at(ImageAddr scope_pc) {
  return state_->variables_in_scope(
      scope_pc, [&](Dwarf_Die* die) { return read_declared(state_->types, die); });
}

std::optional<GlobalVariable> DebugInfo::find_global(ImageAddr addr) {
  const Survey::Global* global = state_->survey().find_global_before(addr);
  Dwarf_Die die;
  if (global == nullptr || dwarf_offdie(state_->elf.dwarf(), global->die, &die) == nullptr) {
    return std::nullopt;
  }
  GlobalVariable found{std::string(find_name(&die)), ImageAddr(global->addr),
                       state_->types.find_type_of(&die)};
  u64 size = found.type == nullptr ? 0 : found.type->size_bytes;
  if (addr - found.addr >= std::max<u64>(size, 1)) return std::nullopt;
  return found;
}

std::vector<GlobalVariable> DebugInfo::globals() {
  std::vector<GlobalVariable> globals;
  for (const Survey::Global& global : state_->survey().globals()) {
    Dwarf_Die die;
    if (dwarf_offdie(state_->elf.dwarf(), global.die, &die) == nullptr) continue;
    const DebugType* type = state_->types.find_type_of(&die);
    if (type == nullptr) continue;
    globals.push_back({std::string(find_name(&die)), ImageAddr(global.addr), type});
  }
  return globals;
}

const DebugType* DebugInfo::find_type(ImageAddr runtime_type) {
  Survey& survey = state_->survey();
  constexpr usize kEnoughToTellTheBase = 64;
  if (!state_->types.types_base()) {
    for (Dwarf_Off offset : survey.runtime_types(kEnoughToTellTheBase))
      state_->find_type_at(offset);
  }
  std::optional<ImageAddr> base = state_->types.types_base();
  if (!base || runtime_type < *base) return nullptr;
  return state_->find_type_at(survey.find_runtime_type(runtime_type - *base));
}

const DebugType* DebugInfo::find_type_named(const std::string& name) {
  return state_->find_type_at(state_->survey().find_type_named(name));
}

std::vector<DebugInfo::Capture> DebugInfo::captures_of(const std::string& function) {
  std::optional<Dwarf_Off> offset = state_->survey().find_function_named(function);
  Dwarf_Die die;
  if (!offset || dwarf_offdie(state_->elf.dwarf(), *offset, &die) == nullptr) return {};
  return state_->read_captures(die);
}

std::vector<DebugInfo::Capture> DebugInfo::captures_at(ImageAddr pc) {
  std::optional<Dwarf_Die> function = state_->units.find_subprogram(pc);
  return function ? state_->read_captures(*function) : std::vector<Capture>();
}

}  // namespace geist::read
