#include "kernels.h"

#include "kernels.inl"

namespace deskhand::cpu {

namespace {

constexpr Kernels kBaseline DESKHAND_KERNELS;

} // namespace

#if defined(__x86_64__)
extern const Kernels kAvx2;

const Kernels& kernels() {
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return avx2 ? kAvx2 : kBaseline;
}
#else
const Kernels& kernels() {
  return kBaseline;
}
#endif

} // namespace deskhand::cpu
