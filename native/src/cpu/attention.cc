// Attention on the CPU, a block of queries at a time: both products by BLAS (which uses all processors), the softmax between them
// vectorised, in place and on all processors. The block's scores stay in the cache.
#include "mlx/backend/cpu/encoder.h"

#include "blas.h"
#include "kernels.h"
#include "parallel.h"
#include "primitives.h"

namespace deskhand::cpu {

namespace {

// Queries in a block: 256 × 1200 scores are 1.2 MB.
constexpr int kBlock = 256;

// Scores below this are normalised faster than a thread wakes.
constexpr int64_t kWorthSharing = 32768;

// One array's rows `[B, H, L, D]` as BLAS takes them: any strides but 1 between features. Anything else is copied first.
class Rows {
 public:
  explicit Rows(const mx::array& x)
      : data_(x.data<float>()), heads_(x.shape(1)), rows_(x.shape(2)), dims_(x.shape(3)), strides_(x.strides()), plain_(strides_[3] == 1 && (rows_ == 1 || strides_[2] >= dims_)) {}

  // Rows of one head; `buffer` holds the copy where one is needed.
  const float* of(int b, int h, std::vector<float>& buffer) const {
    const float* head = data_ + b * strides_[0] + h * strides_[1];
    if (plain_) {
      return head;
    }
    buffer.resize(static_cast<size_t>(rows_) * dims_);
    for (int i = 0; i < rows_; ++i) {
      for (int d = 0; d < dims_; ++d) {
        buffer[static_cast<size_t>(i) * dims_ + d] = head[i * strides_[2] + d * strides_[3]];
      }
    }
    return buffer.data();
  }

  int stride() const {
    return plain_ && rows_ > 1 ? static_cast<int>(strides_[2]) : dims_;
  }
  int heads() const {
    return heads_;
  }
  int rows() const {
    return rows_;
  }

 private:
  const float* data_;
  int heads_, rows_, dims_;
  mx::Strides strides_;
  bool plain_;
};

class Attention : public mx::UnaryPrimitive {
 public:
  Attention(mx::Stream stream, float scale, bool causal) : mx::UnaryPrimitive(stream), scale_(scale), causal_(causal) {}

  void eval_cpu(const std::vector<mx::array>& inputs, mx::array& out) override {
    const auto &q = inputs[0], &k = inputs[1], &v = inputs[2];
    const int batch = q.shape(0), heads = q.shape(1), queries = q.shape(2), dims = q.shape(3);
    const int row = heads * dims;
    if (heads == 1 || queries == 1) {
      out.set_data(mx::allocator::malloc(out.nbytes()));
    } else {
      // Laid out [B, L, H, D], so that joining the heads afterwards moves nothing.
      mx::array::Flags flags{};
      flags.contiguous = true;
      out.set_data(mx::allocator::malloc(out.nbytes()), out.size(), {static_cast<int64_t>(row) * queries, dims, row, 1}, flags);
    }
    auto& encoder = mx::cpu::get_command_encoder(stream());
    encoder.dispatch([batch, heads, queries, dims, row, q = Rows(q), k = Rows(k), v = Rows(v), to = out.data<float>(), scale = scale_, causal = causal_] {
      const int keys = k.rows(), group = heads / k.heads();
      std::vector<float> scores(static_cast<size_t>(std::min(kBlock, queries)) * keys), q_copy, k_copy, v_copy;
      for (int b = 0; b < batch; ++b) {
        for (int h = 0; h < heads; ++h) {
          const float* q_rows = q.of(b, h, q_copy);
          const float* k_rows = k.of(b, h / group, k_copy);
          const float* v_rows = v.of(b, h / group, v_copy);
          float* out_rows = to + (static_cast<int64_t>(b) * queries * heads + h) * dims;
          for (int start = 0; start < queries; start += kBlock) {
            const int count = std::min(kBlock, queries - start);
            // Keys that the block's last query sees; the one before it sees one less.
            const int seen = causal ? keys - queries + start + count : keys;
            multiply_transposed(count, seen, dims, q_rows + static_cast<int64_t>(start) * q.stride(), q.stride(), k_rows, k.stride(), 0.0f, scores.data(), seen);
            auto normalise = [&](size_t begin, size_t end) {
              for (size_t i = begin; i < end; ++i) {
                float* line = scores.data() + i * seen;
                const size_t visible = causal ? seen - count + 1 + i : seen;
                kernels().softmax(line, visible, scale);
                std::fill(line + visible, line + seen, 0.0f);
              }
            };
            if (static_cast<int64_t>(count) * seen < kWorthSharing) {
              normalise(0, count);
            } else {
              parallel_for(count, normalise);
            }
            multiply(count, dims, seen, scores.data(), seen, v_rows, v.stride(), out_rows + static_cast<int64_t>(start) * row, row);
          }
        }
      }
    });
  }

  void eval_gpu(const std::vector<mx::array>&, mx::array&) override {
    throw std::runtime_error("this primitive runs on the CPU only");
  }

  const char* name() const override {
    return "Attention";
  }

 private:
  float scale_;
  bool causal_;
};

} // namespace

mx::array attention(const mx::array& q, const mx::array& k, const mx::array& v, float scale, bool causal) {
  auto stream = mx::default_stream(mx::default_device());
  return mx::array(q.shape(), mx::float32, std::make_shared<Attention>(stream, scale, causal), {q, k, v});
}

} // namespace deskhand::cpu
