// Attention on the CPU, a block of queries of one head at a time: both products by BLAS, the softmax between them vectorised and in
// place. Each processor has blocks of its own, so that none waits for another and the scores stay in its cache.
#include <algorithm>

#include "blas.h"
#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "primitives.h"

namespace deskhand::cpu {

namespace {

// Scores of a block, which stay in one processor's second-level cache.
constexpr int kBlockScores = 1 << 18;

// Queries in a block: fewer make BLAS slow, more bring nothing.
int block_of(int keys) {
  return std::clamp(kBlockScores / keys / 16 * 16, 48, 256);
}

// Scores below this are there before a thread wakes.
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
    dispatch(stream(), [batch, heads, queries, dims, row, q = Rows(q), k = Rows(k), v = Rows(v), to = out.data<float>(), scale = scale_, causal = causal_] {
      const int keys = k.rows(), group = heads / k.heads(), block = block_of(keys), blocks = (queries + block - 1) / block;
      auto work = [&](size_t begin, size_t end) {
        std::vector<float> scores(static_cast<size_t>(std::min(block, queries)) * keys), q_copy, k_copy, v_copy;
        const float *q_head = nullptr, *k_rows = nullptr, *v_rows = nullptr;
        for (size_t task = begin; task < end; ++task) {
          const int head = static_cast<int>(task) / blocks, b = head / heads, h = head % heads, start = static_cast<int>(task) % blocks * block;
          // Once for all blocks of a head: what has to be copied is copied once.
          if (task == begin || start == 0) {
            q_head = q.of(b, h, q_copy);
            k_rows = k.of(b, h / group, k_copy);
            v_rows = v.of(b, h / group, v_copy);
          }
          const float* q_rows = q_head + static_cast<int64_t>(start) * q.stride();
          float* out_rows = to + (static_cast<int64_t>(b) * queries * heads + h) * dims + static_cast<int64_t>(start) * row;
          const int count = std::min(block, queries - start);
          // Keys that the block's last query sees; the one before it sees one less.
          const int seen = causal ? keys - queries + start + count : keys;
          multiply_transposed(count, seen, dims, q_rows, q.stride(), k_rows, k.stride(), 0.0f, scores.data(), seen);
          for (int i = 0; i < count; ++i) {
            float* line = scores.data() + static_cast<size_t>(i) * seen;
            const int visible = causal ? seen - count + 1 + i : seen;
            kernels().softmax(line, visible, scale);
            std::fill(line + visible, line + seen, 0.0f);
          }
          multiply(count, dims, seen, scores.data(), seen, v_rows, v.stride(), out_rows, row);
        }
      };
      const size_t tasks = static_cast<size_t>(batch) * heads * blocks;
      if (static_cast<int64_t>(batch) * heads * queries * keys < kWorthSharing) {
        work(0, tasks);
      } else {
        OneThreadedBlas alone;
        parallel_for(tasks, work);
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
