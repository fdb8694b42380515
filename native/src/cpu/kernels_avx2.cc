// Compiled for AVX2 and FMA; runs only where kernels() found them.
#include "kernels.h"
#include "kernels.inl"

namespace deskhand::cpu {

extern const Kernels kAvx2 DESKHAND_KERNELS;

} // namespace deskhand::cpu
