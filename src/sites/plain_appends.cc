// See plain_appends.h. The source is asked by lines: tables of lines have no columns.
#include "sites/plain_appends.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/go_symbol.h"
#include "program/code.h"
#include "source/kept_slice.h"

namespace geist::sites {
namespace {

using LinesOfFiles = std::map<std::string_view, std::set<i32>>;

// At most one more than `limit`.
std::vector<read::Function> functions_of_main_module(const read::GoBinary& binary, usize limit) {
  std::vector<read::Function> own;
  for (u32 i = 0; i < binary.pclntab().function_count() && own.size() <= limit; ++i) {
    read::Function function = binary.pclntab().function(read::FuncIndex{i});
    if (is_of_main_module(binary, function.name)) own.push_back(function);
  }
  return own;
}

// Every line of these functions' files that code was made of. What was inlined from elsewhere is
// left out.
LinesOfFiles find_lines_with_code(const read::Pclntab& functions,
                                  const std::vector<read::Function>& wanted) {
  LinesOfFiles lines;
  std::set<std::string_view> own;
  for (const read::Function& function : wanted) {
    own.insert(functions.source_frames(function, function.entry).back().file);
    for (const read::SourceLine& at : functions.source_lines(function))
      lines[at.file].insert(at.line);
  }
  std::erase_if(lines, [&](const auto& file) { return own.count(file.first) == 0; });
  return lines;
}

// Of the sites in these files.
LinesOfFiles find_lines_with_sites(const read::GoBinary& binary, const SiteTable& table,
                                   const LinesOfFiles& files) {
  LinesOfFiles lines;
  for (const AppendSite& site : table.sites) {
    const read::Function function = binary.pclntab().function(site.function);
    const read::SourceFrame at = binary.pclntab().source_frames(function, site.call)[0];
    if (files.count(at.file) != 0) lines[at.file].insert(at.line);
  }
  return lines;
}

// The lines of a file on which an append call begins; nothing when the file is not here.
class AppendLines {
 public:
  explicit AppendLines(source::SourceCache& sources) : sources_(sources) {}

  std::optional<bool> has(const std::string& file, i32 line) {
    const source::SourceText* text = sources_.find_file(file);
    if (text == nullptr) return std::nullopt;
    auto [known, is_new] = lines_.try_emplace(file);
    if (is_new) known->second = source::find_append_lines(*text);
    // A call that goes across several lines may have its store on any of them.
    return std::ranges::binary_search(known->second, line) ||
           source::find_append_operand(*text, line).has_value();
  }

 private:
  source::SourceCache& sources_;
  std::map<std::string, std::vector<i32>> lines_;
};

}  // namespace

bool is_of_main_module(const read::GoBinary& binary, std::string_view function) {
  const std::string_view package = package_of(function);
  const std::string& module = binary.build_info().main_module.path;
  if (package == "main") return true;
  return !module.empty() && package.starts_with(module) &&
         (package.size() == module.size() || package[module.size()] == '/');
}

// Of an array in the frame the code has the place of the element that is written over. It begins with
// the first of the neighbouring words that the declaration fills.
static i64 find_start(const read::GoBinary& binary, const AppendSite& site, std::string_view file,
                      const source::KeptSlice& kept) {
  i64 start = site.array.disp;
  const read::Function function = binary.pclntab().function(site.function);
  const std::optional<program::FunctionCode> code =
      program::FunctionCode::decode(binary, function);
  std::map<i64, i64> stores;  // by their end
  for (u32 i = 0; code && i < code->briefs().size(); ++i) {
    if (code->briefs()[i].flow != x86::Flow::kNext) continue;
    const x86::Insn& insn = code->insn(i);
    const x86::Operand& to = insn.operands[0];
    const bool is_store = insn.writes_memory && to.kind == x86::Operand::Kind::kMem &&
                          to.mem.base == x86::kRsp && to.mem.index == x86::kNoReg;
    if (!is_store) continue;
    const read::SourceFrame at = binary.pclntab().source_frames(function, insn.addr)[0];
    const bool is_declaration = at.file == file && at.line >= kept.first_declared &&
                                at.line <= kept.last_declared;
    if (is_declaration) stores[to.mem.disp + to.size_bits / 8] = to.mem.disp;
  }
  for (auto store = stores.find(start); store != stores.end(); store = stores.find(start))
    start = store->second;
  return start;
}

// Its line, and those of the calls that were inlined around it.
static std::shared_ptr<const KeptName> find_kept_name(const read::GoBinary& binary,
                                                      AppendSite& site,
                                                      source::SourceCache& sources) {
  const read::Function function = binary.pclntab().function(site.function);
  const auto frames = binary.pclntab().source_frames(function, site.call);
  std::vector<source::CallLine> calls;
  for (const read::SourceFrame& frame : frames)
    calls.push_back({sources.find_file(std::string(frame.file)), frame.line,
                     std::string(frame.function)});
  const std::optional<source::KeptSlice> kept = source::find_kept_slice(calls);
  if (!kept) return nullptr;
  const read::SourceFrame& at = frames[kept->level];
  if (site.array.kind == program::ValueLocation::Kind::kStackSlot)
    site.array.disp = find_start(binary, site, at.file, *kept);
  return std::make_shared<KeptName>(kept->name, std::string(at.function), std::string(at.file),
                                    kept->lines, kept->shared_lines);
}

void keep_told_appends(SiteTable& table, const read::GoBinary& binary,
                       source::SourceCache& sources) {
  AppendLines lines(sources);
  for (AppendSite& site : table.plain) {
    if (site.is_removal) site.kept = find_kept_name(binary, site, sources);
  }
  std::erase_if(table.plain, [&](const AppendSite& site) {
    if (site.is_removal) return site.kept == nullptr;
    const read::Function function = binary.pclntab().function(site.function);
    const read::SourceFrame at = binary.pclntab().source_frames(function, site.call)[0];
    const std::optional<bool> is_append = lines.has(std::string(at.file), at.line);
    if (!is_append) ++table.untold;
    return !is_append.value_or(false);
  });
}

std::vector<PlainAppend> find_plain_appends(const read::GoBinary& binary, const SiteTable& table,
                                            source::SourceCache& sources, usize max_functions) {
  const std::vector<read::Function> own = functions_of_main_module(binary, max_functions);
  if (own.size() > max_functions) return {};
  const LinesOfFiles code = find_lines_with_code(binary.pclntab(), own);
  const LinesOfFiles sites = find_lines_with_sites(binary, table, code);
  std::vector<PlainAppend> found;
  for (const auto& [file, lines] : code) {
    const source::SourceText* text = sources.find_file(std::string(file));
    if (text == nullptr) continue;
    const auto of_file = sites.find(file);
    for (i32 line : source::find_append_lines(*text)) {
      const bool has_site = of_file != sites.end() && of_file->second.count(line) != 0;
      if (lines.count(line) != 0 && !has_site) found.push_back({std::string(file), line});
    }
  }
  return found;
}

}  // namespace geist::sites
