// Code made by a test is run in this process, entered with known registers and left through stubs
// that tell where it went, with which registers, flags and stack.
#pragma once

struct MachineState {
  unsigned long regs[16];  // hardware numbering; [4] is what SP was moved by
  unsigned long flags;
  unsigned long exit;
};

extern "C" {
// Enters `target` by a jump with the state's registers and SP = stack.
void geist_test_enter(MachineState* state, unsigned long target, unsigned char* stack);
// Entered by a jump with a number pushed: saves all registers and returns from geist_test_enter.
void geist_test_exit();
}

// Writes a stub that leaves with this number.
inline void put_test_exit(unsigned char* to, unsigned char number) {
  const unsigned char code[] = {0x6a, number, 0xff, 0x25, 0, 0, 0, 0};  // push imm8; jmp [rip+0]
  for (unsigned char byte : code) *to++ = byte;
  const auto exit = reinterpret_cast<unsigned long>(&geist_test_exit);
  for (int i = 0; i < 8; ++i) *to++ = static_cast<unsigned char>(exit >> (8 * i));
}
