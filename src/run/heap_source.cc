// From the word on the command line to a heap that answers: the program first (its tables are
// needed to read anything), then the memory, then the graph. A process has gone on by the time the
// graph is begun; a core is held against the program, since pointers of another build would lead
// anywhere.
#include "run/heap_source.h"

#include <elf.h>
#include <signal.h>

#include <cerrno>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>

#include "process/inject.h"
#include "process/process_info.h"

namespace geist::run {
namespace {

std::optional<int> parse_pid(const std::string& text) {
  int pid = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  bool is_pid = error == std::errc() && stop == text.data() + text.size() && pid > 0;
  return is_pid ? std::optional(pid) : std::nullopt;
}

std::string text_of(const process::Pauses& pauses) {
  if (pauses.count == 1) return fmt::format("stood still for {:.1f} ms", pauses.longest_ms);
  return fmt::format("stood still for {:.1f} ms at a time, {} times, {:.1f} ms in all",
                     pauses.longest_ms, pauses.count, pauses.total_ms);
}

heap::ThreadState thread_state(const process::FrozenThread& thread) {
  const user_regs_struct& r = thread.registers;
  return {.tid = thread.tid,
          .pc = TargetAddr(r.rip),
          .sp = TargetAddr(r.rsp),
          .registers = {r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.r8, r.r9, r.r10, r.r11,
                        r.r12, r.r13, r.r14, r.r15}};
}

}  // namespace

Result<std::unique_ptr<HeapSource>> HeapSource::open(const std::string& target,
                                                     const SourceOptions& options) {
  auto source = std::make_unique<HeapSource>();
  std::optional<int> pid = parse_pid(target);
  source->say_ = options.say;
  source->name_ = pid ? fmt::format("process {}", *pid) : target;
  // Before the process stands still: a file that cannot be written must not cost a pause.
  std::optional<ZstdWriter> writer;
  if (!options.save.empty()) {
    GEIST_TRY(created, ZstdWriter::create(options.save));
    writer.emplace(std::move(created));
  }
  GEIST_TRY_STATUS(pid ? source->open_process(*pid, options) : source->open_core(target, options));
  if (writer) GEIST_TRY_STATUS(source->save(std::move(*writer)));
  Status made = source->make_graph();
  if (!made.ok()) return made.take_error().in(source->name_);
  return source;
}

Status HeapSource::open_binary(const std::string& path, const SourceOptions& options) {
  GEIST_TRY(binary, read::GoBinary::open(path, {options.assume_go_minor}));
  binary_ = std::move(binary);
  auto debug = read::DebugInfo::open(binary_->image());
  if (debug.ok()) {
    debug_ = std::move(debug).value();
  } else {
    say_(fmt::format("geist: no variable names: {}\n", debug.error().message()));
  }
  GEIST_TRY(symbols, heap::find_runtime_symbols(*binary_));
  image_.binary = binary_.get();
  image_.debug = debug_.get();
  image_.symbols = symbols;
  return Done{};
}

Status HeapSource::open_process(int pid, const SourceOptions& options) {
  if (::kill(pid, 0) != 0 && errno == ESRCH)
    return Error(fmt::format("there is no process {}", pid));
  Result<u64> entry = process::read_auxv(pid, AT_ENTRY);
  if (!entry.ok()) {
    return Error(fmt::format("cannot read /proc/{}/auxv", pid), ErrorKind::kNoPermission)
        .with_hint("Be the user of the process, or root.");
  }
  std::string exe = fmt::format("/proc/{}/exe", pid);
  std::error_code ignored;
  program_ = std::filesystem::read_symlink(exe, ignored);
  Status opened = open_binary(exe, options);
  if (!opened.ok() && opened.error().kind() == ErrorKind::kNotFound) {
    return Error(fmt::format("process {} has ended", pid));
  }
  if (!opened.ok()) return opened.take_error().in(name_);
  image_.bias = LoadBias{entry.value() - binary_->image().entry().value};
  return take_process(pid, options.stop);
}

// A copy-on-write child; where that cannot be had, the process itself, which then stands still
// until the graph is made.
Status HeapSource::take_process(int pid, bool wants_stop) {
  if (!wants_stop) {
    Status copied = copy_process(pid);
    if (copied.ok()) {
      say_(fmt::format("geist: {} {}\n", name_, text_of(copy_->pauses())));
      return copied;
    }
    if (copied.error().kind() != ErrorKind::kSystem) return copied;
    say_(fmt::format("geist: {}; it stands still until the answer is there\n",
                     copied.error().message()));
  }
  GEIST_TRY(tracer, process::Tracer::start());
  tracer_ = std::move(tracer);
  GEIST_TRY(frozen, process::FrozenProcess::freeze(*tracer_, pid));
  pid_ = pid;
  set_threads(frozen.threads());
  frozen_.emplace(std::move(frozen));
  memory_ = std::make_unique<process::ProcessMemory>(pid);
  image_.memory = memory_.get();
  return Done{};
}

Status HeapSource::copy_process(int pid) {
  GEIST_TRY(room, process::find_code_room(*image_.binary, image_.bias));
  GEIST_TRY(copy, process::ProcessCopy::make(pid, room));
  copy_.emplace(std::move(copy));
  image_.memory = &copy_->memory();
  pid_ = copy_->pid();
  pause_ms_ = copy_->pauses().longest_ms;
  set_threads(copy_->threads());
  return Done{};
}

void HeapSource::set_threads(const std::vector<process::FrozenThread>& threads) {
  threads_ = threads;
  for (const process::FrozenThread& thread : threads_)
    image_.threads.push_back(thread_state(thread));
}

Result<std::unique_ptr<HeapSource>> HeapSource::copy(int pid, const heap::HeapImage& known) {
  auto source = std::make_unique<HeapSource>();
  source->name_ = fmt::format("process {}", pid);
  source->image_ = known;
  GEIST_TRY_STATUS(source->copy_process(pid));
  return source;
}

Status HeapSource::open_core(const std::string& path, const SourceOptions& options) {
  GEIST_TRY(core, process::CoreFile::open(path));
  core_.emplace(std::move(core));
  std::optional<u64> entry = core_->find_auxv(AT_ENTRY);
  if (!entry) return Error(path + ": the core does not say where the program was loaded (NT_AUXV)");
  std::string binary = options.binary.empty() ? core_->find_mapped_path(*entry) : options.binary;
  if (binary.empty()) {
    return Error(path + ": the core does not name its program").with_hint("Name it: --binary=FILE");
  }
  Status opened = open_binary(binary, options);
  if (!opened.ok()) {
    return std::move(opened.take_error().in(path))
        .with_hint("Where is the program of this core? --binary=FILE");
  }
  image_.bias = LoadBias{*entry - binary_->image().entry().value};
  memory_ = std::make_unique<process::CoreMemory>(*core_, binary_->image(), image_.bias);
  image_.memory = memory_.get();
  GEIST_TRY_STATUS(check_same_build());
  if (core_->missing_bytes() != 0) {
    say_(fmt::format("geist: {}: the core is truncated: {} bytes are missing\n", path,
                     core_->missing_bytes()));
  }
  program_ = binary;
  set_threads(core_->threads());
  return Done{};
}

// moduledata lies in data, which a core has: pointers of another build would differ.
Status HeapSource::check_same_build() const {
  const read::ModuleData& module = binary_->module();
  std::optional<u64> header = image_.memory->find<u64>(image_.bias.to_target(module.addr));
  std::optional<u64> etext = image_.memory->find<u64>(image_.bias.to_target(module.addr) + 184);
  bool is_same = header && etext && *header == image_.bias.to_target(module.pc_header).value &&
                 *etext == image_.bias.to_target(module.etext).value;
  if (is_same) return Done{};
  return Error(
             fmt::format("{}: {} is not the program of this core", name_, binary_->image().path()))
      .with_hint("The very binary that ran is needed: --binary=FILE");
}

Result<std::vector<process::CoreRegion>> HeapSource::find_regions() const {
  if (!core_) return find_process_regions();
  std::vector<process::CoreRegion> regions;
  for (const process::CoreFile::Segment& segment : core_->segments()) {
    if (segment.file_size > 0) regions.push_back({TargetAddr(segment.begin), segment.file_size});
  }
  return regions;
}

// The copy's own, and the parts that it has elsewhere.
Result<std::vector<process::CoreRegion>> HeapSource::find_process_regions() const {
  GEIST_TRY(regions, process::find_written_regions(pid_, binary_->image(), image_.bias));
  if (copy_) {
    for (const process::AddressRange& part : copy_->parts()) {
      regions.push_back({part.begin, part.size_bytes});
    }
  }
  std::ranges::sort(regions, {}, &process::CoreRegion::begin);
  return regions;
}

Status HeapSource::save(ZstdWriter writer) const {
  GEIST_TRY(regions, find_regions());
  GEIST_TRY(core, process::CoreWriter::make(
                      {.memory = image_.memory,
                       .regions = std::move(regions),
                       .threads = threads_,
                       .entry = image_.bias.to_target(binary_->image().entry()).value,
                       .program = program_}));
  writer.promise(core.size_bytes());
  GEIST_TRY(lost, core.write([&](ByteView bytes) { return writer.append(bytes); }));
  GEIST_TRY_STATUS(writer.finish());
  if (lost != 0) {
    say_(fmt::format("geist: {} bytes of memory could not be read and are saved as zeros\n", lost));
  }
  return Done{};
}

Status HeapSource::make_graph() {
  auto find_dominators = [&](const heap::HeapGraph& graph) { dominators_.emplace(graph); };
  GEIST_TRY(graph,
            heap::HeapGraph::make(image_, std::thread::hardware_concurrency(), find_dominators));
  graph_ = std::move(graph);
  paths_.emplace(*graph_);
  snapshot_.emplace(*graph_, *dominators_, *paths_);
  return Done{};
}

}  // namespace geist::run
