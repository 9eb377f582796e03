// Any bytes as a core file: an error, or segments that are ascending and inside of the file, and
// memory that reads only what is there.
#include <algorithm>

#include "process/core_file.h"

namespace {

using namespace geist;

// A program without segments lends no bytes.
const read::Image& no_program() {
  static const read::Image image = [] {
    Result<read::Image> own = read::Image::open("/proc/self/exe");
    GEIST_CHECK(own.ok());
    return std::move(own).value();
  }();
  return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  ByteView bytes(data, size);
  Result<process::CoreFile> core = process::CoreFile::from_view(bytes, "core");
  if (!core.ok()) return 0;
  process::CoreMemory memory(core.value(), no_program(), LoadBias{u64{1} << 46});
  u64 behind = 0;
  for (const process::CoreFile::Segment& segment : core->segments()) {
    GEIST_CHECK(segment.begin >= behind && segment.size != 0 && segment.file_size <= segment.size);
    GEIST_CHECK(segment.offset <= size || segment.file_size == 0);
    behind = segment.begin + segment.size;
    u8 out[64];
    for (u64 at : {segment.begin, segment.begin + segment.file_size / 2,
                   segment.begin + segment.file_size - 1}) {
      usize got = memory.read_some(TargetAddr(at), out);
      GEIST_CHECK(got <= sizeof out);
    }
  }
  (void)core->find_auxv(9);
  (void)core->find_mapped_path(behind);
  return 0;
}
