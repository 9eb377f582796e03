// The text of /debug/pprof/heap?debug=1, the heap profile that came before profile.proto.
//
//   heap profile: 3: 4096 [9: 8192] @ heap/1048576      in use: objects, bytes [allocated], twice the rate
//   1: 2048 [4: 4096] @ 0x45d1 0x45a0                   the same for one stack, return addresses
//   #	0x45d0	main.grow+0x30	/src/main.go:12         Go names the frames in comments
//
// `go tool pprof` ignores the comments and takes names from the program's file; here they are used. Frames
// of the runtime above the first frame of the user have no comment: they are called the runtime's, and
// are dropped as pprof drops them.
// Source: github.com/google/pprof, profile/legacy_profile.go; Go, src/runtime/pprof/pprof.go.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/zstd.h"

namespace geist::profile {

bool is_legacy(ByteView bytes);
// The same as an unpacked profile.proto. Fails with the line that is none.
Result<LoadedBytes> convert_legacy(ByteView bytes, const std::string& name);

}  // namespace geist::profile
