// Numbers below the normal range, and the mode of the processor that takes them as zero.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace deskhand::cpu {

// While one lives, this thread takes numbers below the normal range as zero. Activations far below zero and attention weights far from
// the largest end there, no result depends on them, and x86 computes with each in microcode: pictures took 2 to 4 times as long.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  // Inputs (bit 6) and results (bit 15).
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040);
  }
  ~FlushDenormals() {
    _mm_setcsr(before_);
  }
#else
  FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_;
#endif
};

} // namespace deskhand::cpu
