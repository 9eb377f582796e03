#include "probe/runtime_entry.h"

namespace geist::probe {

void emit_runtime_entry(x86::Assembler& as, u64 site_record, u64 entry) {
  // The same for all, wherever it stands; large programs have ten thousands of them.
  static const std::vector<u8> save_rax = [] {
    x86::Assembler once(0);
    once.lea(x86::kRsp, {.base = x86::kRsp, .disp = -static_cast<i64>(kEntryFrameBytes)});
    once.mov(x86::MemRef{.base = x86::kRsp}, x86::kRax);
    once.finish();
    return once.bytes();
  }();
  as.append_bytes(save_rax);
  as.lea(x86::kRax, {.disp = static_cast<i64>(site_record), .absolute = true});
  as.jmp_to(entry);
}

}  // namespace geist::probe
