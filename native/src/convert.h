// Between JavaScript's names for data types and MLX's.
#pragma once

#include <string>

#include "mlx/dtype.h"

namespace deskhand {

mlx::core::Dtype dtype_of(const std::string& name);
const char* dtype_name(mlx::core::Dtype dtype);

} // namespace deskhand
