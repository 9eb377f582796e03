// Builds the programs of testdata/, starts them and talks to them over pipes.
//
// The binaries of a run lie in a temporary folder of their own, each built once for all tests that
// ask for it, and go away with the run.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "live_program.h"

namespace geist::heap {
namespace {

// The folder of this run's binaries, removed when it ends.
class BuildFolder {
 public:
  BuildFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "geist-heap-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~BuildFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The lowest address of the binary's own mapping, minus that of its first segment.
std::optional<LoadBias> find_bias(int pid, const read::Image& image) {
  if (!image.is_pie()) return LoadBias{0};
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::string line, path = std::filesystem::canonical(image.path()).string();
  while (std::getline(maps, line)) {
    if (!line.ends_with(path)) continue;
    u64 first = ~u64{0};
    for (const read::Segment& segment : image.segments()) {
      if (segment.type == 1) first = std::min(first, segment.vaddr.value & ~u64{4095});
    }
    return LoadBias{std::stoull(line.substr(0, line.find('-')), nullptr, 16) - first};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> test_toolchains() {
  const char* all = std::getenv("GEIST_TEST_ALL");
  if (all == nullptr || std::string(all) != "1") return {""};
  return {"go1.21.13", "go1.22.12", "go1.23.12", "go1.24.13", "go1.25.9", "go1.26.8", "go1.27.3"};
}

std::string build_go(const std::string& source, const GoBuild& build) {
  static BuildFolder folder;
  static std::map<std::string, std::string> built;
  std::string key = source + " " + build.name();
  if (auto it = built.find(key); it != built.end()) return it->second;
  std::string out = folder.path() + "/" + std::to_string(built.size());
  std::string command = "cd " GEIST_SOURCE_DIR "/tests/unit/heap/testdata && ";
  if (!build.toolchain.empty()) command += "GOTOOLCHAIN=" + build.toolchain + " ";
  command +=
      "GOFLAGS= CGO_ENABLED=0 go build " + build.flags + " -o " + out + " " + source + " >&2";
  bool is_built = !folder.path().empty() && std::system(command.c_str()) == 0;
  return built[key] = is_built ? out : "";
}

std::unique_ptr<LiveProgram> LiveProgram::start(const std::string& source, const GoBuild& build) {
  auto fail = [&](const std::string& what) {
    ADD_FAILURE() << source << " (" << build.name() << "): " << what;
    return nullptr;
  };
  std::string path = build_go(source, build);
  if (path.empty()) return fail("does not build");
  Result<std::unique_ptr<read::GoBinary>> binary = read::GoBinary::open(path);
  if (!binary.ok()) return fail(binary.error().message());
  std::unique_ptr<LiveProgram> program(new LiveProgram);
  program->binary_ = std::move(binary).value();

  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return fail("no pipe");
  program->pid_ = ::fork();
  if (program->pid_ == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::execl(path.c_str(), path.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  program->to_ = ::fdopen(to[1], "w");
  program->from_ = ::fdopen(from[0], "r");
  if (program->pid_ < 0) return fail("cannot fork");
  char buffer[256];
  std::string word;
  while (word != "ready") {
    if (std::fgets(buffer, sizeof(buffer), program->from_) == nullptr) return fail("ended early");
    std::istringstream line(buffer);
    line >> word;
    std::string name;
    Place place;
    if (word == "at" && line >> name >> place.addr.value >> place.size) {
      program->places_[name] = place;
    }
  }
  std::optional<LoadBias> bias = find_bias(program->pid_, program->binary_->image());
  if (!bias) return fail("is not in its own maps");
  program->bias_ = *bias;
  program->memory_ = std::make_unique<process::ProcessMemory>(program->pid_);
  return program;
}

LiveProgram::~LiveProgram() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  if (to_ != nullptr) std::fclose(to_);
  if (from_ != nullptr) std::fclose(from_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

bool LiveProgram::tell(const std::string& line) {
  char buffer[256];
  if (std::fprintf(to_, "%s\n", line.c_str()) < 0 || std::fflush(to_) != 0) return false;
  return std::fgets(buffer, sizeof(buffer), from_) != nullptr && std::string(buffer) == "done\n";
}

bool LiveProgram::is_readable(std::string* why) const {
  if (memory_->find<u32>(bias_.to_target(binary_->module().text))) return true;
  *why = "process_vm_readv is not permitted here (ptrace rights: yama, seccomp or container)";
  return false;
}

}  // namespace geist::heap
