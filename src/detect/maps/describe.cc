// Addresses of the runtime's tables become source lines, go statements, type names and ways to maps. What
// lies between an operation as it is written and where it is looked at is left out.
#include "detect/maps/describe.h"

#include <algorithm>

#include <fmt/format.h>

#include "probe/map_probes.h"
#include "sites/identity.h"

namespace geist::detect::maps {
namespace {

using findings::Frame;

// Between the operation as it is written and where it is looked at.
bool is_of_runtime(std::string_view function) {
  return function.starts_with("runtime.") || function.starts_with("internal/runtime/maps.");
}

// The way to the map as one would write it in the program. A way through the runtime's own data, or
// from an argument of a map function, says nothing up to the last type that it names.
std::string readable_path(std::string path) {
  if (const usize stack = path.find(" (goroutine "); stack != std::string::npos) path.resize(stack);
  for (std::string_view inside : {" in runtime.", " in maps.(*Map).", " in maps.(*Iter)."}) {
    if (path.find(inside) != std::string::npos) return "";
  }
  if (!path.starts_with("runtime.")) return path;
  const usize type = path.rfind(".(");
  return type == std::string::npos ? "" : path.substr(type + 1);
}

}  // namespace

void Describer::add_return(u64 address, std::vector<Frame>& frames) const {
  const ImageAddr pc = bias().to_image(TargetAddr(address)) - 1;
  const read::Pclntab& functions = watched_.binary.pclntab();
  const std::optional<read::Function> function = functions.find_function(pc);
  if (!function) return;
  for (const read::SourceFrame& source : functions.source_frames(*function, pc)) {
    if (frames.empty() && is_of_runtime(source.function)) continue;
    if (source.function == "runtime.goexit" || source.function == "runtime.main") continue;
    frames.push_back(
        {std::string(source.function), std::string(source.file), source.line, "", source.inlined});
  }
}

std::vector<Frame> Describer::frames_of(std::span<const u64> returns) const {
  std::vector<Frame> frames;
  for (u64 address : returns) add_return(address, frames);
  return frames;
}

// The go statement is a call of runtime.newproc; what does not stand after one is none.
std::vector<Frame> Describer::made_at(u64 go_pc) const {
  constexpr u64 kCallBytes = 5;
  if (go_pc < kCallBytes) return {};
  const ImageAddr after = bias().to_image(TargetAddr(go_pc));
  const std::optional<read::Function> newproc =
      watched_.binary.pclntab().find_function_named("runtime.newproc");
  const std::optional<ByteView> code =
      watched_.binary.image().find_bytes(after - kCallBytes, kCallBytes);
  const std::optional<x86::Insn> call =
      code ? x86::decode(*code, after - kCallBytes) : std::nullopt;
  if (!newproc || !call || call->flow != x86::Flow::kCall || call->target != newproc->entry)
    return {};
  std::vector<Frame> frames;
  add_return(go_pc, frames);
  return frames;
}

const Frame& Describer::own_frame(const std::vector<Frame>& frames) const {
  const auto own = std::ranges::find_if(frames, [&](const Frame& frame) {
    return !sites::is_gos_own(watched_.binary, frame.function);
  });
  return own == frames.end() ? frames.front() : *own;
}

std::string Describer::type_name(u64 type) const {
  if (type == 0) return "";
  Result<read::GoType> read = watched_.binary.types().read(bias().to_image(TargetAddr(type)));
  return read.ok() ? read->name : "";
}

std::vector<std::string> Describer::names_of(std::span<const TargetAddr> maps) const {
  if (!watched_.find_paths) return std::vector<std::string>(maps.size());
  std::vector<std::string> names = watched_.find_paths(maps);
  for (std::string& name : names) name = readable_path(std::move(name));
  return names;
}

void Describer::note_gaps(findings::Report& report) const {
  auto note = [&](std::string text) {
    if (std::ranges::find(report.notes, text) == report.notes.end())
      report.notes.push_back(std::move(text));
  };
  for (const std::string& missing : probe::find_map_probes(watched_.binary).missing)
    note("maps are not looked at in " + missing);
  for (const probe::PlannedPoint& point : watched_.process.plan.map_points) {
    if (point.refused)
      note(fmt::format("maps are not looked at in {}: {}",
                       watched_.binary.pclntab().function(point.point.function).name,
                       program::refusal_help(*point.refused)));
  }
}

}  // namespace geist::detect::maps
