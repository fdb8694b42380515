#include "convert.h"

#include <stdexcept>
#include <utility>

namespace deskhand {

namespace mx = mlx::core;

namespace {

constexpr std::pair<const char*, mx::Dtype> kDtypes[] = {
    {"bool", mx::bool_},
    {"uint8", mx::uint8},
    {"uint16", mx::uint16},
    {"uint32", mx::uint32},
    {"uint64", mx::uint64},
    {"int8", mx::int8},
    {"int16", mx::int16},
    {"int32", mx::int32},
    {"int64", mx::int64},
    {"float16", mx::float16},
    {"bfloat16", mx::bfloat16},
    {"float32", mx::float32},
    {"float64", mx::float64},
};

} // namespace

mx::Dtype dtype_of(const std::string& name) {
  for (const auto& [known, dtype] : kDtypes) {
    if (name == known) {
      return dtype;
    }
  }
  std::string all;
  for (const auto& [known, dtype] : kDtypes) {
    all += all.empty() ? known : std::string(", ") + known;
  }
  throw std::invalid_argument("expected a data type (one of " + all + ") but received \"" + name + "\"");
}

const char* dtype_name(mx::Dtype dtype) {
  for (const auto& [name, known] : kDtypes) {
    if (known.val() == dtype.val()) {
      return name;
    }
  }
  return "complex64";
}

} // namespace deskhand
