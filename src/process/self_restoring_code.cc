// See self_restoring_code.h. Encodings: Intel SDM volume 2, MOV (B8+r), LEA (8D), JMP (FF /4).
#include "process/self_restoring_code.h"

#include <sys/syscall.h>

#include <cstring>

#include "x86/insn.h"

namespace geist::process {
namespace {

// Results of a system call that a signal or a stop has cut short, never seen by programs
// (linux/errno.h).
constexpr i64 kRestartSys = -512, kRestartNoIntr = -513, kRestartNoHand = -514,
              kRestartBlock = -516;
constexpr u64 kNotInSystemCall = ~u64{0};
constexpr u64 kSyscallBytes = 2;

using enum x86::Reg;
constexpr x86::Reg kArgument[6] = {kRdi, kRsi, kRdx, kR10, kR8, kR9};
constexpr x86::Reg kKept = kRbx;  // holds the first result; system calls leave it alone

class Writer {
 public:
  explicit Writer(u64 at) : at_(at) {}
  u64 here() const { return at_ + bytes_.size(); }
  std::vector<u8> take() { return std::move(bytes_); }

  void put(std::initializer_list<u8> bytes) { bytes_.insert(bytes_.end(), bytes); }
  void put_int(u64 value, usize size) {
    for (usize i = 0; i < size; ++i) bytes_.push_back(static_cast<u8>(value >> (8 * i)));
  }
  void put_text(const std::string& text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.push_back(0);
  }

  void load(x86::Reg to, u64 value) {
    const u8 low = static_cast<u8>(0xb8 + (to & 7));
    if (value <= 0xffffffff) {
      if (to >= kR8) put({0x41});
      put({low});  // MOV r32, imm32: clears the upper half
      put_int(value, 4);
      return;
    }
    put({static_cast<u8>(to >= kR8 ? 0x49 : 0x48), low});  // MOV r64, imm64
    put_int(value, 8);
  }
  void load_kept(x86::Reg to) {
    const u8 rex = static_cast<u8>(0x48 | (to >= kR8 ? 1 : 0));
    put({rex, 0x89, static_cast<u8>(0xc0 | (kKept << 3) | (to & 7))});  // MOV to, RBX
  }
  // LEA RDI, [RIP + distance]; gives the place of the distance.
  usize load_text_address() {
    put({0x48, 0x8d, 0x3d});
    put_int(0, 4);
    return bytes_.size() - 4;
  }
  void bind_text(usize place) {
    u32 distance = static_cast<u32>(bytes_.size() - (place + 4));
    std::memcpy(bytes_.data() + place, &distance, sizeof distance);
  }

 private:
  u64 at_;
  std::vector<u8> bytes_;
};

void emit_way_back(Writer& out, const user_regs_struct& then) {
  const std::pair<x86::Reg, u64> values[] = {
      {kRax, then.rax}, {kRcx, then.rcx}, {kRdx, then.rdx}, {kRbx, then.rbx}, {kRbp, then.rbp},
      {kRsi, then.rsi}, {kRdi, then.rdi}, {kR8, then.r8},   {kR9, then.r9},   {kR10, then.r10},
      {kR11, then.r11}, {kR12, then.r12}, {kR13, then.r13}, {kR14, then.r14}, {kR15, then.r15}};
  for (const auto& [number, value] : values) out.load(number, value);
  out.put({0xff, 0x25, 0, 0, 0, 0});  // JMP [RIP+0]
  out.put_int(then.rip, 8);
}

// A copy of the process that gets here is ours alone and must not become a second program. RCX is
// lost to SYSCALL anyway; a test would change the flags.
void emit_end_of_child(Writer& out) {
  out.put({0x48, 0x89, 0xc1});  // MOV RCX, RAX
  out.put({0xe3, 0x02});        // JRCXZ +2
  out.put({0xeb, 0x0c});        // JMP +12, in the parent
  out.load(kRax, SYS_exit_group);
  out.load(kRdi, kUntracedChildStatus);
  out.put({0x0f, 0x05});  // SYSCALL
}

}  // namespace

user_regs_struct resumed_registers(const user_regs_struct& regs) {
  user_regs_struct out = regs;
  out.orig_rax = kNotInSystemCall;
  if (static_cast<i64>(regs.orig_rax) < 0) return out;
  switch (static_cast<i64>(regs.rax)) {
    case kRestartSys:
    case kRestartNoIntr:
    case kRestartNoHand:
      out.rax = regs.orig_rax;
      out.rip -= kSyscallBytes;
      break;
    case kRestartBlock:  // goes on with what is left of its time
      out.rax = SYS_restart_syscall;
      out.rip -= kSyscallBytes;
      break;
    default:
      break;  // the call had its result
  }
  return out;
}

SelfRestoringCode emit_self_restoring_code(u64 at, std::span<const RemoteCall> calls,
                                           const user_regs_struct& then) {
  Writer out(at);
  SelfRestoringCode code;
  std::vector<std::pair<usize, const std::string*>> texts;
  for (const RemoteCall& call : calls) {
    for (int i = 0; i < call.arg_count; ++i) {
      if (i == call.result_arg)
        out.load_kept(kArgument[i]);
      else if (i == 0 && !call.text.empty())
        texts.emplace_back(out.load_text_address(), &call.text);
      else
        out.load(kArgument[i], call.args[static_cast<usize>(i)]);
    }
    out.load(kRax, static_cast<u64>(call.number));
    out.put({0x0f, 0x05});  // SYSCALL
    code.behind_call.push_back(out.here());
    if (call.number == SYS_clone) emit_end_of_child(out);
    if (code.behind_call.size() == 1) out.put({0x48, 0x89, 0xc3});  // MOV RBX, RAX
  }
  emit_way_back(out, then);
  for (const auto& [place, text] : texts) {
    out.bind_text(place);
    out.put_text(*text);
  }
  code.bytes = out.take();
  return code;
}

}  // namespace geist::process
