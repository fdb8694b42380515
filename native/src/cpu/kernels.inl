// The loops of kernels.h, written so that the compiler vectorises them for whatever the including source is compiled for.
// No branches, no library calls: exp is a polynomial after range reduction (Cephes, single precision; 2 ulp).

namespace {

inline float exp_of(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  // Adding 1.5 · 2^23 rounds to a whole number, which then stands in the lowest bits.
  const float magic = 12582912.0f;
  float shifted = x * 1.44269504f + magic;
  float n = shifted - magic;
  float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int bits = (static_cast<int>(n) + 127) << 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return p * power;
}

inline float sigmoid_of(float x) {
  return 1.0f / (1.0f + exp_of(-x));
}

void gelu_tanh(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    // (1 + tanh(u)) / 2 = sigmoid(2u)
    float u = 0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
    y[i] = x[i] * sigmoid_of(2.0f * u);
  }
}

void gelu(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    // erfc of |z| by Abramowitz & Stegun 7.1.26, absolute error 1.5e-7
    float z = x[i] * 0.7071067812f;
    float magnitude = z < 0.0f ? -z : z;
    float t = 1.0f / (1.0f + 0.3275911f * magnitude);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float complement = p * t * exp_of(-z * z);
    float phi = z < 0.0f ? 0.5f * complement : 1.0f - 0.5f * complement;
    y[i] = x[i] * phi;
  }
}

void silu_multiply(const float* a, const float* b, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    y[i] = a[i] * sigmoid_of(a[i]) * b[i];
  }
}

void softmax(float* x, size_t n, float scale) {
  float largest = x[0];
#pragma omp simd reduction(max : largest)
  for (size_t i = 0; i < n; ++i) {
    largest = x[i] > largest ? x[i] : largest;
  }
  float total = 0.0f;
#pragma omp simd reduction(+ : total)
  for (size_t i = 0; i < n; ++i) {
    x[i] = exp_of(scale * (x[i] - largest));
    total += x[i];
  }
  float inverse = 1.0f / total;
  for (size_t i = 0; i < n; ++i) {
    x[i] *= inverse;
  }
}

} // namespace
