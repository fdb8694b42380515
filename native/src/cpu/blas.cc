#include "blas.h"

#ifndef __APPLE__
// OpenBLAS has them, the reference BLAS has not.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int);
extern "C" __attribute__((weak)) int openblas_get_num_threads();
#endif

namespace deskhand::cpu {

OneThreadedBlas::OneThreadedBlas() {
#ifndef __APPLE__
  if (openblas_set_num_threads != nullptr) {
    threads_ = openblas_get_num_threads();
    openblas_set_num_threads(1);
  }
#endif
}

OneThreadedBlas::~OneThreadedBlas() {
#ifndef __APPLE__
  if (threads_ > 0) {
    openblas_set_num_threads(threads_);
  }
#endif
}

} // namespace deskhand::cpu
