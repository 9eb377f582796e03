// Where a heap is taken from: a process id, or a core file; with the program it belongs to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "heap/dominators.h"
#include "snap/answers.h"
#include "target/core_file.h"
#include "target/core_writer.h"
#include "target/process_copy.h"

namespace geist::cli {

struct SourceOptions {
  std::string binary;  // of a core; empty: what the core names
  bool stop = false;   // read a process while it stands still
  std::optional<int> assume_go_minor;
  std::string save = {};  // a file to write the image to; empty: none
};

// A heap, ready for questions. What it needs stays alive with it.
class HeapSource {
 public:
  // Fails when the target is neither, is no Go program, may not be traced, or its heap's tables
  // cannot be read. Says on stderr what was done to a process.
  static Result<std::unique_ptr<HeapSource>> open(const std::string& target,
                                                  const SourceOptions& options);

  // The copy of a process whose program is known already, without a graph. Says nothing on stderr.
  static Result<std::unique_ptr<HeapSource>> copy(int pid, const heap::HeapImage& known);
  Status make_graph();

  const target::Memory& memory() const { return *image_.memory; }
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
  void set_threads(const std::vector<target::FrozenThread>& threads);
  Status check_same_build() const;
  Status save(ZstdWriter writer) const;
  Result<std::vector<target::CoreRegion>> find_regions() const;
  Result<std::vector<target::CoreRegion>> find_process_regions() const;

  std::string name_;
  double pause_ms_ = -1;
  int pid_ = 0;          // whose memory it is: the copy's, or the process's own
  std::string program_;  // the path of the program, as a core gives it
  std::vector<target::FrozenThread> threads_;
  std::unique_ptr<read::GoBinary> binary_;
  std::unique_ptr<read::DebugInfo> debug_;
  std::optional<target::ProcessCopy> copy_;
  std::optional<target::FrozenProcess> frozen_;
  std::optional<target::CoreFile> core_;
  std::unique_ptr<target::Memory> memory_;
  heap::HeapImage image_;
  std::unique_ptr<heap::HeapGraph> graph_;
  std::optional<heap::Dominators> dominators_;
  std::optional<snap::Paths> paths_;
  std::optional<snap::Snapshot> snapshot_;
};

}  // namespace geist::cli
