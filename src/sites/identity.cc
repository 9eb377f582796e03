// See identity.h. Names are taken apart at the dots outside of brackets, after the path of
// the package:
//
//   example.com/fpx/lib . (*T[...]) . M . func1 . 2
//   package               parts ─────────────────▶
#include "sites/identity.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/go_symbol.h"
#include "program/symbolic.h"
#include "sites/names.h"

namespace geist::sites {
namespace {

struct Name {
  std::string package;
  std::vector<std::string> parts;
  std::string text(usize from = 0) const {
    std::string out;
    for (usize i = from; i < parts.size(); ++i) out += (i == from ? "" : ".") + parts[i];
    return out;
  }
  bool ends_with(const std::vector<std::string>& end) const {
    return end.size() <= parts.size() && std::equal(end.rbegin(), end.rend(), parts.rbegin());
  }
};

Name take_apart(std::string_view function) {
  const std::string whole = without_type_arguments(function);
  Name name;
  name.package = std::string(package_of(whole));
  std::string part;
  int depth = 0;
  for (usize i = std::min(name.package.size() + 1, whole.size()); i < whole.size(); ++i) {
    const char c = whole[i];
    depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
    if (c == '.' && depth <= 0) {
      name.parts.push_back(std::move(part));
      part.clear();
    } else {
      part.push_back(c);
    }
  }
  name.parts.push_back(std::move(part));
  return name;
}

// "func1", "2", "gowrap1", "deferwrap2": what the compiler makes of a function literal.
bool is_numbered(std::string_view part) {
  for (std::string_view word : {"func", "gowrap", "deferwrap"}) {
    if (part.starts_with(word)) part.remove_prefix(word.size());
  }
  return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

// What is left of a name that may be a closure's, and whether it was one.
bool strip_closures(Name& name) {
  bool was_closure = false;
  for (std::string& part : name.parts) {
    // Bodies of range-over-func loops ("f-range1") and method values ("m-fm"); no identifier has a
    // dash.
    const usize dash = part.find('-');
    if (part.starts_with('(') || dash == std::string::npos) continue;
    part.resize(dash);
    was_closure = true;
  }
  // The name of a method may look like a closure's; a literal never follows a receiver.
  while (name.parts.size() > 1 && is_numbered(name.parts.back()) &&
         !name.parts[name.parts.size() - 2].starts_with('(')) {
    name.parts.pop_back();
    was_closure = true;
  }
  // Package variables: main.glob..func1 in go1.21, main.init.func1 since; outlined main.map.init.0.
  using Parts = std::vector<std::string>;
  if (name.parts == Parts{"glob", ""} || name.parts == Parts{"map", "init"}) name.parts = {"init"};
  return was_closure;
}

std::string join(const Name& name) {
  return name.package + "." + name.text();
}

std::string_view base_name(std::string_view file) {
  return file.substr(file.rfind('/') + 1);
}

bool is_in_module(std::string_view package, std::string_view module) {
  return !module.empty() && package.starts_with(module) &&
         (package.size() == module.size() || package[module.size()] == '/');
}

}  // namespace

std::string without_closures(std::string_view function) {
  Name name = take_apart(function);
  strip_closures(name);
  return join(name);
}

std::optional<std::string> with_import_path(const read::GoBinary& binary,
                                            std::string_view function) {
  const std::string& path = binary.build_info().main_package;
  if (!function.starts_with("main.") || path.empty() || path == "command-line-arguments")
    return std::nullopt;
  return path + std::string(function.substr(4));
}

bool is_gos_own(const read::GoBinary& binary, std::string_view function) {
  const std::string_view package = package_of(function);
  if (is_in_module(package, "golang.org/x/exp")) return true;
  if (!is_standard_library(function)) return false;
  const read::BuildInfo& info = binary.build_info();
  if (is_in_module(package, info.main_module.path) || package == info.main_package) return false;
  return std::ranges::none_of(info.dependencies, [&](const read::Module& module) {
    return is_in_module(package, module.path);
  });
}

void AppendIdentities::read_places() {
  if (places_.size() == table_->sites.size() && plain_places_.size() == table_->plain.size())
    return;
  places_.clear();
  plain_places_.clear();
  auto read = [&](const std::vector<AppendSite>& sites, std::vector<Place>& places) {
    const read::Pclntab& functions = binary_->pclntab();
    places.reserve(sites.size());
    for (const AppendSite& site : sites) {
      const read::SourceFrame frame =
          functions.source_frames(functions.function(site.function), site.call).front();
      places.push_back({frame.function, frame.file, frame.line, frame.start_line});
    }
  };
  read(table_->sites, places_);
  read(table_->plain, plain_places_);
}

namespace {

// Whether the first append to an empty slice calls growslice depends on the release: go1.26 gives it
// a buffer on the stack where it can. Its capacity is the constant 0, so it is nobody's bug.
bool grows_from_nothing(const read::GoBinary& binary, const AppendSite& site) {
  if (site.bucket != SiteBucket::kAlwaysGrows) return false;
  const std::optional<program::FunctionCode> code =
      program::FunctionCode::decode(binary, binary.pclntab().function(site.function));
  if (!code) return false;
  const std::optional<u32> call = code->find_insn(site.call);
  if (!call) return false;
  program::SymbolTable symbols;
  program::SymbolicState state(symbols);
  for (u32 i = code->blocks()[code->block_of(*call)].first; i < *call; ++i)
    state.execute(code->insn(i));
  return state.reg(x86::kRcx) == program::Expr{};
}

}  // namespace

AppendIdentity AppendIdentities::of(const AppendSite& site) {
  auto [known, is_new] = known_.try_emplace(site.call);
  if (!is_new) return known->second;
  read_places();
  const read::Pclntab& functions = binary_->pclntab();
  const read::SourceFrame frame =
      functions.source_frames(functions.function(site.function), site.call).front();
  // An append that is proven never to grow calls no growslice and does not count. Releases prove
  // more and more: go1.24 knows that make([]int, 3, 8+n) with n >= 0 has room for one.
  AppendIdentity identity{declaring(frame), 0};
  std::set<i32> before;
  const std::vector<Place>& places = site.is_plain ? plain_places_ : places_;
  for (usize i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    if (place.line >= frame.line || place.file != frame.file) continue;
    const read::SourceFrame other{place.function, place.file, place.line, place.start_line};
    if (declaring(other) != identity.function || before.contains(place.line)) continue;
    if (site.is_plain || !grows_from_nothing(*binary_, table_->sites[i])) before.insert(place.line);
  }
  // Those without a grow path are counted by themselves: they must not change the others' names.
  constexpr u32 kFirstPlain = 1000;
  identity.ordinal = static_cast<u32>(before.size()) + (site.is_plain ? kFirstPlain : 0);
  known->second = identity;
  return identity;
}

std::string AppendIdentities::declaring(const read::SourceFrame& frame) {
  auto [at, is_new] = declaring_.try_emplace({frame.function, frame.file, frame.start_line});
  if (is_new) at->second = find_declaring(frame);
  return at->second;
}

std::string AppendIdentities::find_declaring(const read::SourceFrame& frame) const {
  Name name = take_apart(frame.function);
  const bool was_closure = strip_closures(name);
  if (name.parts.size() == 1 && name.parts[0] == "init")
    return fmt::format("{}({})", join(name), base_name(frame.file));
  if (!was_closure) return join(name);
  return find_maker(frame, join(name)).value_or(join(name));
}

// The maker of "main.main.Serve.func3" was inlined into main.main, which may be all that is left of
// it: its name is in the inline tree of a function whose name begins the closure's.
std::optional<std::string> AppendIdentities::find_maker(const read::SourceFrame& closure,
                                                        const std::string& stripped) const {
  const read::Pclntab& functions = binary_->pclntab();
  const Name wanted = take_apart(stripped);
  std::optional<Name> best;
  i32 best_line = 0;
  auto consider = [&](const read::SourceFrame& maker) {
    if (maker.file != closure.file || maker.start_line > closure.start_line) return;
    Name name = take_apart(maker.function);
    if (!wanted.ends_with(name.parts) || strip_closures(name)) return;
    const bool is_longer = best && name.parts.size() > best->parts.size();
    const bool is_nearer =
        best && name.parts.size() == best->parts.size() && maker.start_line > best_line;
    if (best && !is_longer && !is_nearer) return;
    best = std::move(name);
    best_line = maker.start_line;
  };
  for (usize dot = closure.function.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = closure.function.rfind('.', dot - 1)) {
    const std::string_view outer = closure.function.substr(0, dot);
    std::optional<read::Function> function = functions.find_function_named(outer);
    if (!function) function = functions.find_function_named(without_type_arguments(outer));
    if (!function) continue;
    const std::optional<program::FunctionCode> code =
        program::FunctionCode::decode(*binary_, *function);
    if (!code) continue;
    for (const x86::Brief& insn : code->briefs()) {
      for (const read::SourceFrame& frame : functions.source_frames(*function, insn.addr)) {
        if (frame.inlined) consider(frame);
      }
    }
    if (best) return join(*best);
  }
  const std::string end = "." + wanted.parts.back();
  for (u32 i = 0; i < functions.function_count(); ++i) {
    const read::Function function = functions.function(read::FuncIndex{i});
    if (!function.name.ends_with(end)) continue;
    consider(functions.source_frames(function, function.entry).back());
  }
  return best ? std::optional(join(*best)) : std::nullopt;
}

namespace {

// Where the four bytes are that hold a distance from the end of an instruction to `target`: at its
// end, or before an immediate operand.
std::optional<usize> find_distance(ByteView bytes, const x86::Insn& insn, u64 target) {
  const u32 distance = static_cast<u32>(target - insn.end().value);
  for (usize immediate : std::array<usize, 4>{0, 1, 4, 2}) {
    if (bytes.size() < immediate + 5) continue;
    const usize at = bytes.size() - immediate - 4;
    if (find_int<u32>(bytes, at) == distance) return at;
  }
  return std::nullopt;
}

void add_callee(const read::Pclntab& functions, ImageAddr target, std::vector<u8>& out) {
  const std::optional<read::Function> callee = functions.find_function(target);
  const std::string name = callee ? without_closures(callee->name) : "?";
  out.insert(out.end(), name.begin(), name.end());
  // runtime.duffzero is entered in its middle.
  const u64 offset = callee ? target - callee->entry : 0;
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<u8>(offset >> shift));
}

}  // namespace

std::string hash_site_code(program::CodeCache& codes, const AppendSite& site) {
  const read::GoBinary& binary = codes.binary();
  const read::Function function = binary.pclntab().function(site.function);
  const program::FunctionCode* code = codes.find(function);
  const std::optional<ByteView> whole =
      binary.image().find_bytes(function.entry, function.end - function.entry);
  if (code == nullptr || !whole) return "";
  std::vector<u8> out;
  out.reserve(whole->size());
  for (u32 i = 0; i < code->briefs().size(); ++i) {
    const x86::Insn& insn = code->insn(i);
    const std::optional<ByteView> bytes =
        find_part(*whole, insn.addr - function.entry, insn.length);
    if (!bytes) return "";
    const usize begin = out.size();
    out.insert(out.end(), bytes->begin(), bytes->end());
    auto mask = [&](u64 target) {
      if (const std::optional<usize> at = find_distance(*bytes, insn, target))
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(begin + *at), 4, u8{0});
    };
    if (insn.target && (insn.target < function.entry || insn.target >= function.end)) {
      mask(insn.target.value);
      add_callee(binary.pclntab(), insn.target, out);
    }
    for (usize k = 0; k < insn.operand_count; ++k) {
      const x86::Operand& operand = insn.operands[k];
      if (operand.kind == x86::Operand::Kind::kMem && operand.mem.rip_relative)
        mask(static_cast<u64>(operand.mem.disp));
    }
  }
  const u64 offset = site.call - function.entry;
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<u8>(offset >> shift));
  const XXH128_hash_t hash = XXH3_128bits(out.data(), out.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace geist::sites
