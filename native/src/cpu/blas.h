// The one BLAS routine used, from whichever library the addon is linked with; the declaration is the standard's.
#pragma once

#include <cstddef>

extern "C" void cblas_sgemm(int order, int transa, int transb, int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);

namespace deskhand::cpu {

constexpr int kRowMajor = 101;
constexpr int kNoTrans = 111;
constexpr int kTrans = 112;

// c [m, n] = a [m, k] · b [n, k]ᵀ + beta · c; row strides in elements
inline void multiply_transposed(int m, int n, int k, const float* a, int a_stride, const float* b, int b_stride, float beta, float* c, int c_stride) {
  cblas_sgemm(kRowMajor, kNoTrans, kTrans, m, n, k, 1.0f, a, a_stride, b, b_stride, beta, c, c_stride);
}

// c [m, n] = a [m, k] · b [k, n]
inline void multiply(int m, int n, int k, const float* a, int a_stride, const float* b, int b_stride, float* c, int c_stride) {
  cblas_sgemm(kRowMajor, kNoTrans, kNoTrans, m, n, k, 1.0f, a, a_stride, b, b_stride, 0.0f, c, c_stride);
}

// While one lives, OpenBLAS computes in the thread that calls it, because the caller shares the work itself. Other libraries stay as they are.
class OneThreadedBlas {
 public:
  OneThreadedBlas();
  ~OneThreadedBlas();
  OneThreadedBlas(const OneThreadedBlas&) = delete;
  OneThreadedBlas& operator=(const OneThreadedBlas&) = delete;

 private:
  int threads_ = 0;
};

} // namespace deskhand::cpu
