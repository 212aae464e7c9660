// SPDX-License-Identifier: Apache-2.0
#include "model/weights.hpp"

namespace teetee::model {
namespace {

std::string shape_text(const std::vector<uint64_t>& dimensions) {
    std::string text;
    for (const uint64_t d : dimensions) text += (text.empty() ? "" : " x ") + std::to_string(d);
    return text;
}

}  // namespace

WeightLoader::WeightLoader(const Gguf& gguf, tensor::ThreadPool& pool, Progress progress)
    : gguf_(gguf), pool_(pool), progress_(std::move(progress)) {
    for (const GgufTensor& t : gguf.tensors()) total_bytes_ += t.bytes;
}

Result<ByteView> WeightLoader::take(const std::string& name,
                                    const std::vector<uint64_t>& dimensions) {
    const GgufTensor* found = gguf_.find_tensor(name);
    if (found == nullptr) return fail(ErrorCode::tensor_missing, name);
    if (found->dimensions != dimensions) {
        return fail(
            ErrorCode::tensor_shape_wrong,
            name + ": have " + shape_text(found->dimensions) + ", need " + shape_text(dimensions));
    }
    if (!tensor::is_computable(found->type)) {
        return fail(ErrorCode::tensor_type_unsupported,
                    name + ": have " + std::string(tensor::to_string(found->type)) +
                        ", need F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or Q2_K to Q6_K");
    }
    taken_.insert(name);
    return gguf_.data(*found);
}

std::vector<tensor::PackedMatrix> WeightLoader::pack(const std::string& name, ByteView data,
                                                     std::span<const uint64_t> row_counts,
                                                     uint64_t columns) {
    const tensor::DataType type = gguf_.find_tensor(name)->type;
    uint64_t row_count = 0;
    for (const uint64_t rows : row_counts) row_count += rows;
    const uint64_t row_bytes = data.size() / row_count;
    std::vector<tensor::PackedMatrix> matrices;
    for (const uint64_t rows : row_counts) {
        const tensor::MatrixView part = {type, static_cast<size_t>(rows),
                                         static_cast<size_t>(columns),
                                         data.first(rows * row_bytes)};
        matrices.emplace_back(part, pool_);
        data = data.subspan(part.data.size());
        done_bytes_ += part.data.size();
        if (progress_) progress_(done_bytes_, total_bytes_);
    }
    return matrices;
}

Result<tensor::MatrixView> WeightLoader::view(const std::string& name, uint64_t rows,
                                              uint64_t columns) {
    TT_TRY(const ByteView data, take(name, {columns, rows}));
    return tensor::MatrixView{gguf_.find_tensor(name)->type, static_cast<size_t>(rows),
                              static_cast<size_t>(columns), data};
}

Result<tensor::PackedMatrix> WeightLoader::matrix(const std::string& name, uint64_t rows,
                                                  uint64_t columns) {
    const uint64_t row_counts[] = {rows};
    TT_TRY(auto matrices, split(name, row_counts, columns));
    return std::move(matrices.front());
}

Result<std::vector<tensor::PackedMatrix>> WeightLoader::split(const std::string& name,
                                                              std::span<const uint64_t> row_counts,
                                                              uint64_t columns) {
    uint64_t row_count = 0;
    for (const uint64_t rows : row_counts) row_count += rows;
    TT_TRY(const ByteView data, take(name, {columns, row_count}));
    return pack(name, data, row_counts, columns);
}

Result<std::vector<tensor::PackedMatrix>> WeightLoader::experts(const std::string& name,
                                                                uint64_t count, uint64_t rows,
                                                                uint64_t columns) {
    TT_TRY(const ByteView data, take(name, {columns, rows, count}));
    return pack(name, data, std::vector<uint64_t>(count, rows), columns);
}

Result<std::vector<float>> WeightLoader::vector(const std::string& name, uint64_t length) {
    const GgufTensor* found = gguf_.find_tensor(name);
    if (found == nullptr) return fail(ErrorCode::tensor_missing, name);
    const std::vector<uint64_t> wanted = {length};
    if (found->dimensions != wanted) {
        return fail(
            ErrorCode::tensor_shape_wrong,
            name + ": have " + shape_text(found->dimensions) + ", need " + shape_text(wanted));
    }
    if (found->type != tensor::DataType::f32 && found->type != tensor::DataType::f16 &&
        found->type != tensor::DataType::bf16) {
        return fail(ErrorCode::tensor_type_unsupported, name + ": need F32, F16 or BF16");
    }
    taken_.insert(name);
    std::vector<float> values(static_cast<size_t>(length));
    tensor::dequantise_row({found->type, 1, values.size(), gguf_.data(*found)}, 0, values.data());
    done_bytes_ += found->bytes;
    return values;
}

Result<void> WeightLoader::ensure_all_taken(std::string_view prefix) const {
    return ensure_all_taken([&](std::string_view name) { return name.starts_with(prefix); });
}

Result<void> WeightLoader::ensure_all_taken(
    const std::function<bool(std::string_view name)>& is_served) const {
    for (const GgufTensor& t : gguf_.tensors()) {
        if (is_served(t.name) && !taken_.contains(t.name)) {
            return fail(ErrorCode::architecture_unsupported,
                        "tensor " + quote_foreign(t.name) + " is not part of this architecture");
        }
    }
    return {};
}

}  // namespace teetee::model
