// Where a heap is taken from: a process id, or a core file; with the program it belongs to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "heap/dominators.h"
#include "process/core_file.h"
#include "process/core_writer.h"
#include "process/process_copy.h"
#include "snap/answers.h"

namespace geist::run {

struct SourceOptions {
  std::string binary;  // of a core; empty: what the core names
  bool stop = false;   // read a process while it stands still
  std::optional<int> assume_go_minor;
  std::string save = {};  // a file to write the image to; empty: none
  // Takes what was done to a process, a line with its end at a time.
  std::function<void(std::string_view)> say = [](std::string_view) {};
};

// A heap, ready for questions. What it needs stays alive with it.
class HeapSource {
 public:
  // Fails when the target is neither, is no Go program, may not be traced, or its heap's tables
  // cannot be read. Tells options.say what was done to a process.
  static Result<std::unique_ptr<HeapSource>> open(const std::string& target,
                                                  const SourceOptions& options);

  // The copy of a process whose program is known already, without a graph. Says nothing.
  static Result<std::unique_ptr<HeapSource>> copy(int pid, const heap::HeapImage& known);
  Status make_graph();

  const process::Memory& memory() const { return *image_.memory; }
  const snap::Snapshot& snapshot() const { return *snapshot_; }
  const std::string& name() const { return name_; }
  std::string go() const { return image_.binary->build_info().release.text; }
  // The longest one; negative: nothing stood still.
  double pause_ms() const { return pause_ms_; }

 private:
  Status open_binary(const std::string& path, const SourceOptions& options);
  Status open_process(int pid, const SourceOptions& options);
  Status open_core(const std::string& path, const SourceOptions& options);
  Status take_process(int pid, bool wants_stop);
  Status copy_process(int pid);
  void set_threads(const std::vector<process::FrozenThread>& threads);
  Status check_same_build() const;
  Status save(ZstdWriter writer) const;
  Result<std::vector<process::CoreRegion>> find_regions() const;
  Result<std::vector<process::CoreRegion>> find_process_regions() const;

  std::string name_;
  std::function<void(std::string_view)> say_ = [](std::string_view) {};
  double pause_ms_ = -1;
  int pid_ = 0;          // whose memory it is: the copy's, or the process's own
  std::string program_;  // the path of the program, as a core gives it
  std::vector<process::FrozenThread> threads_;
  std::unique_ptr<read::GoBinary> binary_;
  std::unique_ptr<read::DebugInfo> debug_;
  std::optional<process::ProcessCopy> copy_;
  std::unique_ptr<process::Tracer> tracer_;
  std::optional<process::FrozenProcess> frozen_;
  std::optional<process::CoreFile> core_;
  std::unique_ptr<process::Memory> memory_;
  heap::HeapImage image_;
  std::unique_ptr<heap::HeapGraph> graph_;
  std::optional<heap::Dominators> dominators_;
  std::optional<snap::Paths> paths_;
  std::optional<snap::Snapshot> snapshot_;
};

}  // namespace geist::run
