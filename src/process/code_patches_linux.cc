// See code_patches.h. Patches in the order of their addresses fall into runs of pages that follow
// one another; a run is read, edited and written as a whole.
#include "process/code_patches.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/page.h"
#include "base/parallel.h"

namespace geist::process {
namespace {

constexpr u64 kMaxRunPages = 64;
constexpr usize kMinPatchesOfThread = 512;  // a thread costs as much as some dozen pages

u64 first_page(const probe::CodePatch& patch) {
  return patch.addr.value / kPageBytes;
}
u64 last_page(const probe::CodePatch& patch) {
  return (patch.addr.value + patch.original.size() - 1) / kPageBytes;
}

class Editor {
 public:
  Editor(const WritableMemory& memory, bool restores) : memory_(memory), restores_(restores) {}

  // In the order of their addresses.
  Status edit(std::span<const probe::CodePatch* const> patches);
  Patches take_left() { return std::move(left_); }

 private:
  Status edit_run(u64 page, u64 end_page, std::span<const probe::CodePatch* const> patches);
  Status write_changed(u64 page);
  Status write(u64 page, usize first, usize end) const {
    return memory_.write(TargetAddr((page + first) * kPageBytes),
                         ByteView(bytes_).subspan(first * kPageBytes, (end - first) * kPageBytes));
  }

  const WritableMemory& memory_;
  const bool restores_;
  Patches left_;
  std::vector<u8> bytes_;         // of the run
  std::vector<bool> is_changed_;  // its pages
};

Status Editor::edit(std::span<const probe::CodePatch* const> patches) {
  for (usize first = 0; first < patches.size();) {
    const u64 page = first_page(*patches[first]);
    u64 end_page = last_page(*patches[first]) + 1;
    usize end = first + 1;
    for (; end < patches.size(); ++end) {
      const probe::CodePatch& next = *patches[end];
      if (first_page(next) > end_page || last_page(next) >= page + kMaxRunPages) break;
      end_page = std::max(end_page, last_page(next) + 1);
    }
    GEIST_TRY_STATUS(edit_run(page, end_page, patches.subspan(first, end - first)));
    first = end;
  }
  return Done{};
}

Status Editor::edit_run(u64 page, u64 end_page, std::span<const probe::CodePatch* const> patches) {
  bytes_.resize((end_page - page) * kPageBytes);
  is_changed_.assign(end_page - page, false);
  GEIST_TRY_STATUS(memory_.read(TargetAddr(page * kPageBytes), bytes_));
  for (const probe::CodePatch* patch : patches) {
    const std::vector<u8>& from = restores_ ? patch->replacement : patch->original;
    const std::vector<u8>& to = restores_ ? patch->original : patch->replacement;
    u8* at = &bytes_[patch->addr.value - page * kPageBytes];
    if (std::memcmp(at, from.data(), from.size()) != 0) {
      left_.push_back(patch);
      continue;
    }
    std::memcpy(at, to.data(), to.size());
    for (u64 p = first_page(*patch); p <= last_page(*patch); ++p) is_changed_[p - page] = true;
  }
  return write_changed(page);
}

Status Editor::write_changed(u64 page) {
  const usize count = is_changed_.size();
  for (usize i = count; restores_ && i-- > 0;) {
    if (is_changed_[i]) GEIST_TRY_STATUS(write(page, i, i + 1));
  }
  for (usize i = 0; !restores_ && i < count;) {
    usize end = i;
    while (end < count && is_changed_[end]) ++end;
    if (end > i) GEIST_TRY_STATUS(write(page, i, end));
    i = std::max(end, i + 1);
  }
  return Done{};
}

// Where the parts of about equal size begin, and the end; no two have to do with the same page.
std::vector<usize> split(const Patches& patches, usize parts) {
  std::vector<usize> begins{0};
  for (usize part = 1; part < parts; ++part) {
    usize at = std::max(begins.back() + 1, patches.size() * part / parts);
    while (at < patches.size() && first_page(*patches[at]) <= last_page(*patches[at - 1])) ++at;
    if (at < patches.size()) begins.push_back(at);
  }
  begins.push_back(patches.size());
  return begins;
}

Result<Patches> edit_code(const WritableMemory& memory, Patches patches, bool restores) {
  std::ranges::sort(patches, {}, [](const probe::CodePatch* patch) { return patch->addr; });
  const unsigned threads = std::thread::hardware_concurrency();
  const std::vector<usize> begins =
      split(patches, std::clamp<usize>(patches.size() / kMinPatchesOfThread, 1, threads));
  const usize parts = begins.size() - 1;
  std::vector<Editor> editors(parts, Editor(memory, restores));
  std::vector<Status> done(parts, Done{});
  for_each_part(parts, threads, [&](usize part) {
    done[part] = editors[part].edit(
        std::span(patches).subspan(begins[part], begins[part + 1] - begins[part]));
  });
  Patches left;
  for (usize part = 0; part < parts; ++part) {
    GEIST_TRY_STATUS(std::move(done[part]));
    for (const probe::CodePatch* patch : editors[part].take_left()) left.push_back(patch);
  }
  return left;
}

}  // namespace

bool can_write_patch(const probe::CodePatch& patch) {
  return kPageBytes - patch.addr.value % kPageBytes >= program::kJmpBytes;
}

Result<Patches> write_patches(const WritableMemory& memory, const Patches& patches) {
  for (const probe::CodePatch* patch : patches) GEIST_CHECK(can_write_patch(*patch));
  return edit_code(memory, patches, false);
}

Result<Patches> restore_patches(const WritableMemory& memory, const Patches& patches) {
  return edit_code(memory, patches, true);
}

}  // namespace geist::process
