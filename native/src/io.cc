// Files mapped into memory, so that weights are read by the page when they are first used and shared between processes.
// The safetensors header is parsed and checked in TypeScript (engine/mlx/safetensors.ts); this side only maps and wraps.
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binding.h"
#include "ops.h"

namespace deskhand {

namespace {

class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      throw std::runtime_error("cannot open " + path + ": " + std::strerror(errno));
    }
    struct stat status;
    void* data = MAP_FAILED;
    if (::fstat(fd, &status) == 0 && status.st_size > 0) {
      size_ = static_cast<size_t>(status.st_size);
      // Private and writable: should MLX ever reuse a donated buffer in place, the write stays in this process.
      data = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    }
    int failure = errno;
    ::close(fd);
    if (data == MAP_FAILED) {
      throw std::runtime_error("cannot map " + path + ": " + (size_ == 0 ? "the file is empty or unreadable" : std::strerror(failure)));
    }
    data_ = static_cast<char*>(data);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    ::munmap(data_, size_);
  }
  char* at(size_t offset, size_t bytes) const {
    if (offset > size_ || bytes > size_ - offset) {
      throw std::invalid_argument("expected bytes inside the file of " + std::to_string(size_) + " but received " + std::to_string(bytes) + " at " + std::to_string(offset));
    }
    return data_ + offset;
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

// Shared by the JavaScript handle and by every tensor that lies in the file.
using SharedMapping = std::shared_ptr<Mapping>;

Napi::Value map_file(Args& args) {
  auto mapping = std::make_unique<SharedMapping>(std::make_shared<Mapping>(args.string(0)));
  return Napi::External<SharedMapping>::New(args.env(), mapping.release(), [](Napi::Env, SharedMapping* held) { delete held; });
}

SharedMapping& mapping_of(Args& args, size_t i) {
  auto value = args.value(i);
  if (!value.IsExternal()) {
    throw std::invalid_argument("expected a file mapping as argument " + std::to_string(i + 1));
  }
  auto& mapping = *value.As<Napi::External<SharedMapping>>().Data();
  if (!mapping) {
    throw std::invalid_argument("expected an open file mapping but received one that was closed");
  }
  return mapping;
}

// MLX's CPU allocator keeps a buffer's size in a word before its data. Pointing a Buffer that word ahead of foreign memory uses
// the memory in place; the word read there is only a hint for reuse. Found at run time, so that another allocator means a copy.
bool cpu_buffers_have_a_size_word() {
  static const bool result = [] {
    alignas(8) static char probe[16];
    return !mx::is_available(mx::Device::gpu) && mx::allocator::Buffer(probe).raw_ptr() == probe + sizeof(size_t);
  }();
  return result;
}

// (mapping, offset, shape, dtype): in place where the allocator allows and the data is aligned, else a copy
mx::array from_mapping(Args& args) {
  auto mapping = mapping_of(args, 0);
  auto offset = static_cast<size_t>(args.integer(1));
  auto shape = args.shape(2);
  auto dtype = args.dtype(3);
  size_t bytes = dtype.size();
  for (auto dim : shape) {
    bytes *= static_cast<size_t>(dim);
  }
  char* data = mapping->at(offset, bytes);
  if (bytes > 0 && offset >= sizeof(size_t) && offset % dtype.size() == 0 && cpu_buffers_have_a_size_word()) {
    auto release = [mapping](mx::allocator::Buffer) {};
    return mx::array(mx::allocator::Data(mx::allocator::Buffer(data - sizeof(size_t)), release), std::move(shape), dtype);
  }
  // MLX copies unless it can use the pages themselves (Metal, page-aligned); the mapping lives until it lets go.
  return mx::array(static_cast<void*>(data), std::move(shape), dtype, [mapping](void*) {});
}

} // namespace

void register_io(Napi::Env env, Napi::Object exports) {
  define(env, exports, "mapFile", map_file);
  // Lets go at once instead of at the next garbage collection; tensors in the file keep it mapped until they are gone.
  define(env, exports, "closeMapping", [](Args& args) -> Napi::Value {
    mapping_of(args, 0).reset();
    return args.env().Undefined();
  });
  define(env, exports, "fromMapping", from_mapping);
}

} // namespace deskhand
