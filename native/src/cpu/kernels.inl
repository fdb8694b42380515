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

inline float bf16_of(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  __builtin_memcpy(&value, &wide, sizeof value);
  return value;
}

// Exponent and fraction move into place, and the exponent's bias is mended; subnormals are counted from the smallest normal number,
// because float32's own subnormals are taken as zero here. Not for infinities, which weights have no use for.
inline float f16_of(uint16_t bits) {
  const uint32_t smallest = 113u << 23; // 2^-14
  uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fff) << 13;
  uint32_t normal = magnitude + (112u << 23), shifted = magnitude + smallest;
  float value, sum, base;
  __builtin_memcpy(&value, &normal, sizeof value);
  __builtin_memcpy(&sum, &shifted, sizeof sum);
  __builtin_memcpy(&base, &smallest, sizeof base);
  value = bits & 0x7c00 ? value : sum - base;
  return bits & 0x8000 ? -value : value;
}

inline float f32_of(float value) {
  return value;
}

template <typename T, float (*Read)(T)>
void rows(const T* w, size_t count, size_t k, const float* x, float* y) {
  for (size_t i = 0; i < count; ++i) {
    const T* row = w + i * k;
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < k; ++j) {
      sum += Read(row[j]) * x[j];
    }
    y[i] = sum;
  }
}

template <float (*Read)(uint16_t)>
void widen(const uint16_t* from, float* to, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    to[i] = Read(from[i]);
  }
}

void rows_q4(const uint8_t* w, const float* scales, const float* biases, size_t count, size_t k, size_t group, const float* x, const float* sums, float* y) {
  const size_t groups = k / group, half = group / 2;
  for (size_t i = 0; i < count; ++i) {
    float total = 0.0f;
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t* bytes = w + (i * k + g * group) / 2;
      const float* even = x + g * half;
      const float* odd = x + k / 2 + g * half;
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (size_t j = 0; j < half; ++j) {
        int byte = bytes[j];
        sum += static_cast<float>(byte & 15) * even[j] + static_cast<float>(byte >> 4) * odd[j];
      }
      total += scales[i * groups + g] * sum + biases[i * groups + g] * sums[g];
    }
    y[i] = total;
  }
}

void rows_q8(const uint8_t* w, const float* scales, const float* biases, size_t count, size_t k, size_t group, const float* x, const float* sums, float* y) {
  const size_t groups = k / group;
  for (size_t i = 0; i < count; ++i) {
    float total = 0.0f;
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t* bytes = w + i * k + g * group;
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (size_t j = 0; j < group; ++j) {
        sum += static_cast<float>(static_cast<int>(bytes[j])) * x[g * group + j];
      }
      total += scales[i * groups + g] * sum + biases[i * groups + g] * sums[g];
    }
    y[i] = total;
  }
}

void widen_q4(const uint8_t* w, const float* scales, const float* biases, size_t k, size_t group, float* to) {
  for (size_t g = 0; g < k / group; ++g) {
    const uint8_t* bytes = w + g * group / 2;
    float* out = to + g * group;
    for (size_t j = 0; j < group / 2; ++j) {
      int byte = bytes[j];
      out[2 * j] = scales[g] * static_cast<float>(byte & 15) + biases[g];
      out[2 * j + 1] = scales[g] * static_cast<float>(byte >> 4) + biases[g];
    }
  }
}

void widen_q8(const uint8_t* w, const float* scales, const float* biases, size_t k, size_t group, float* to) {
  for (size_t g = 0; g < k / group; ++g) {
    for (size_t j = g * group; j < (g + 1) * group; ++j) {
      to[j] = scales[g] * static_cast<float>(static_cast<int>(w[j])) + biases[g];
    }
  }
}

void gated_delta_step(float* s, size_t rows, size_t n, const float* q, const float* k, const float* v, float decay, float beta, float* y) {
  for (size_t i = 0; i < rows; ++i) {
    float* row = s + i * n;
    float known = 0.0f;
#pragma omp simd reduction(+ : known)
    for (size_t j = 0; j < n; ++j) {
      known += row[j] * k[j];
    }
    float delta = beta * (v[i] - decay * known);
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; ++j) {
      row[j] = decay * row[j] + delta * k[j];
      sum += row[j] * q[j];
    }
    y[i] = sum;
  }
}

#define DESKHAND_KERNELS                                                                                                            \
  {                                                                                                                                 \
    gelu_tanh, gelu, silu_multiply, softmax, gated_delta_step, rows<float, f32_of>, rows<uint16_t, bf16_of>, rows<uint16_t, f16_of>, widen<bf16_of>, \
        widen<f16_of>, rows_q4, rows_q8, widen_q4, widen_q8                                                                        \
  }

} // namespace
